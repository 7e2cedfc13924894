using System.Globalization;

namespace Nabla.Nn;

/// <summary>Turns a padded batch of sequences into one vector each. Thread-safe.</summary>
public static class SequencePooling
{
    /// <summary>Names: mean, max, first, last.</summary>
    public static IReadOnlyCollection<string> Names { get; } = ["mean", "max", "first", "last"];

    /// <summary>Pools over real steps; a sequence without any gives zeros.</summary>
    /// <param name="name">mean, max, first (step 0) or last (the last real step).</param>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    /// <param name="mask">True where a step is real, <c>[batch, time]</c>; null: all are.</param>
    /// <returns><c>[batch, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="ArgumentException">The name is not known.</exception>
    public static Tensor Pool(string name, Tensor x, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        var shape = x.Sizes();
        if (shape.Length != 3 || shape[1] == 0)
        {
            throw new ShapeException("SequencePooling.Pool", nameof(x), "[batch, time, features] with at least one step", shape);
        }
        if (mask is not null && !mask.Sizes().AsSpan().SequenceEqual(shape.AsSpan(0, 2)))
        {
            throw new ShapeException("SequencePooling.Pool", nameof(mask), string.Create(CultureInfo.InvariantCulture, $"[batch={shape[0]}, time={shape[1]}]"), mask.Sizes());
        }
        using var scope = NewDisposeScope();
        return (name switch
        {
            "mean" => mask is null ? x.mean([1]) : Mean(x, mask),
            "max" => mask is null ? x.amax([1]) : Max(x, mask),
            "first" => x.select(1, 0).clone(),
            "last" => mask is null ? x.select(1, -1).clone() : Last(x, mask),
            _ => throw new ArgumentException($"Sequence pooling '{name}' is not known. {NearestName.Suggest(name, Names)}", nameof(name)),
        }).MoveToOuterDisposeScope();
    }

    private static Tensor Mean(Tensor x, Tensor mask)
    {
        var weights = mask.to(x.dtype).unsqueeze(-1); // [batch, time, 1]
        return (x * weights).sum(1) / weights.sum(1).clamp_min(Number.Of(1)); // [batch, features]
    }

    private static Tensor Max(Tensor x, Tensor mask)
    {
        var isReal = mask.unsqueeze(-1); // [batch, time, 1]
        var highest = x.masked_fill(isReal.logical_not(), Number.Of(double.NegativeInfinity)).amax([1]); // [batch, features]
        return highest.masked_fill(mask.any(1, true).logical_not(), Number.Of(0));
    }

    private static Tensor Last(Tensor x, Tensor mask)
    {
        var steps = torch.arange(Number.Of(1), Number.Of(mask.Sizes()[1] + 1), device: x.device, dtype: ScalarType.Int64); // 1 .. time
        var last = (mask * steps).amax([1]); // [batch]: 0 when no step is real
        var index = (last - Number.Of(1)).clamp_min(Number.Of(0)).view(-1, 1, 1).expand(-1, 1, x.Sizes()[2]); // [batch, 1, features]
        return x.gather(1, index).squeeze(1).masked_fill(last.eq(Number.Of(0)).unsqueeze(-1), Number.Of(0)); // [batch, features]
    }
}
