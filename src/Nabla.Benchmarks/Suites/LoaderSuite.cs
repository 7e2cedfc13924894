using Nabla.Data;

namespace Nabla.Benchmarks;

/// <summary>Suite <c>loader</c>: an epoch of in-memory pictures through Nabla's loader and through TorchSharp's, with and without augmentation.</summary>
internal static class LoaderSuite
{
    public const string Name = "loader";
    private const int Pictures = 4096, Side = 28, Classes = 10, BatchSize = 128;

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        foreach (var augment in new[] { false, true })
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            context.Report($"loader: pictures{(augment ? " with augmentation" : "")}");
            yield return Measure(augment, context);
        }
    }

    private static BenchmarkRow Measure(bool augment, SuiteContext context)
    {
        using var pictures = randint(256, [Pictures, 1, Side, Side], dtype: ScalarType.Int64).to_type(ScalarType.Byte);
        using var labels = randint(Classes, [Pictures], dtype: ScalarType.Int64);
        using LoaderBaseline raw = new(pictures, labels, augment, BatchSize);
        PixelNormalization pixels = new() { Mean = [0], StandardDeviation = [1] };
        using TensorSource source = new([new(Batch.Inputs, pictures.alias()), new(Batch.Targets, labels.alias())], pixels);
        Data.DataLoader loader = new(source, new() { BatchSize = BatchSize, Shuffle = true, Seed = 1, PrefetchBatches = 4 }, augment ? Transforms(pixels) : []);
        var epoch = 0;
        var ratio = context.Compare(() => raw.ReadEpoch(), () => ReadEpoch(loader, epoch++));
        return context.SpeedUp(Name, augment ? "pictures, augmented" : "pictures", $"{Pictures} pictures of {Side}x{Side}, batch {BatchSize}{(augment ? ", random crop and flip" : "")}, against TorchSharp's DataLoader", ratio) with
        {
            Value = loader.BatchesPerEpoch / ratio.SecondsB,
            Unit = "batches/s",
        };
    }

    private static void ReadEpoch(Data.DataLoader loader, int epoch)
    {
        foreach (var batch in loader.ReadEpoch(epoch))
        {
            batch.MoveTo(WorkloadDevice.Current).Dispose();
        }
    }

    private static IReadOnlyList<IBatchTransform> Transforms(PixelNormalization pixels)
    {
        AugmentationContext context = new() { Classes = Classes, Channels = 1, Height = Side, Width = Side, Pixels = pixels };
        return
        [
            Augmentations.Create("random-crop", new Dictionary<string, object?> { ["padding"] = 2 }, context),
            Augmentations.Create("horizontal-flip", new Dictionary<string, object?>(), context),
        ];
    }
}
