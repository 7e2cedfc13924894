using Nabla.Data;

namespace Nabla.Benchmarks;

/// <summary>
/// The batch that a workload trains on, drawn from a seed, so both sides see the same values. Each call of <see cref="Inputs"/> and
/// <see cref="Targets"/> gives a new tensor that the caller owns.
/// </summary>
/// <param name="Inputs">Draws the inputs.</param>
/// <param name="Targets">Draws the targets.</param>
internal sealed record FixedBatch(Func<Tensor> Inputs, Func<Tensor> Targets)
{
    private const long Seed = 20;

    /// <summary>Numbers or pictures from a normal distribution, with class ids.</summary>
    public static FixedBatch Numbers(long[] shape, int classes) => new(
        () => Drawn(generator => randn(shape, generator: generator)),
        () => Drawn(generator => randint(classes, [shape[0]], dtype: ScalarType.Int64, generator: generator)));

    /// <summary>Token ids with a class id for each text.</summary>
    public static FixedBatch Texts(int batch, int time, int vocabulary, int classes) => new(
        () => Drawn(generator => randint(vocabulary, [batch, time], dtype: ScalarType.Int64, generator: generator)),
        () => Drawn(generator => randint(classes, [batch], dtype: ScalarType.Int64, generator: generator)));

    /// <summary>Token ids with the next token of each.</summary>
    public static FixedBatch Tokens(int batch, int time, int vocabulary) => new(
        () => Drawn(generator => randint(vocabulary, [batch, time], dtype: ScalarType.Int64, generator: generator)),
        () => Drawn(generator => randint(vocabulary, [batch, time], dtype: ScalarType.Int64, generator: generator).roll(-1, 1)));

    /// <summary>Batches that all share one pair of tensors, and what frees those.</summary>
    public (Func<Batch> Next, Action Dispose) Shared()
    {
        var (inputs, targets) = (Inputs().DetachFromDisposeScope(), Targets().DetachFromDisposeScope());
        return (
            () => new Batch([new(Batch.Inputs, inputs.alias()), new(Batch.Targets, targets.alias())]),
            () =>
            {
                inputs.Dispose();
                targets.Dispose();
            }
        );
    }

    private static Tensor Drawn(Func<Generator, Tensor> draw)
    {
        using var generator = new Generator((ulong)Seed);
        using var drawn = draw(generator);
        return drawn.to(WorkloadDevice.Current, copy: true);
    }
}
