namespace Nabla.Data;

/// <summary>Pictures with labels.</summary>
/// <param name="Images">Pictures <c>[examples, channels, height, width]</c>, uint8, 0 to 255.</param>
/// <param name="Labels">Class ids <c>[examples]</c>.</param>
public sealed record ImageSplit(Tensor Images, long[] Labels);

/// <summary>A picture data set in memory; it owns its tensors.</summary>
public sealed record ImageData : LoadedData
{
    /// <summary>Pictures to learn from.</summary>
    public required ImageSplit Train { get; init; }

    /// <summary>Pictures to choose by, or null.</summary>
    public ImageSplit? Validation { get; init; }

    /// <summary>Pictures to report on, or null.</summary>
    public ImageSplit? Test { get; init; }

    /// <summary>The classes by id.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, long> Counts => CountsOf(Train.Labels.Length, Validation?.Labels.Length, Test?.Labels.Length);

    /// <inheritdoc/>
    public override ImageData HoldOut(SplitOptions options)
    {
        var split = Split(options, Train.Labels.Length, Validation is not null, Test is not null, () => [.. Train.Labels.Select(label => Classes[(int)label])]);
        var train = Train;
        var (validation, test) = (Validation, Test);
        if (options.Validation == 0)
        {
            validation?.Images.Dispose();
            validation = null;
        }
        if (options.Test == 0)
        {
            test?.Images.Dispose();
            test = null;
        }
        if (split is not null)
        {
            train = Select(Train, split.Train);
            validation = split.Validation.Length > 0 ? Select(Train, split.Validation) : validation;
            test = split.Test.Length > 0 ? Select(Train, split.Test) : test;
            Train.Images.Dispose();
        }
        return this with { Train = train, Validation = validation, Test = test };
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Train.Images.Dispose();
        Validation?.Images.Dispose();
        Test?.Images.Dispose();
        base.Dispose(disposing);
    }

    private static ImageSplit Select(ImageSplit from, long[] rows)
    {
        using var scope = NewDisposeScope();
        var images = from.Images.index_select(0, tensor(rows));
        images.DetachFromDisposeScope(); // the data owns its pictures
        return new(images, Array.ConvertAll(rows, row => from.Labels[row]));
    }
}
