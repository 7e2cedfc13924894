using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// How <c>uint8</c> pixels become numbers: <c>(pixel / 255 - mean) / standard deviation</c>, channel by channel; without
/// <see cref="Mean"/> just <c>pixel / 255</c>. It is stored with a run, since predictions need the same.
/// </summary>
public sealed record PixelNormalization
{
    /// <summary>Field that holds the pictures. Default: <see cref="Batch.Inputs"/>.</summary>
    public string Field { get; init; } = Batch.Inputs;

    /// <summary>Mean of each channel, of pixels in [0, 1]. Default: none, pixels stay in [0, 1].</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>Standard deviation of each channel, of pixels in [0, 1]; as many as <see cref="Mean"/>, each above 0.</summary>
    public IReadOnlyList<double>? StandardDeviation { get; init; }

    /// <summary>Measures the mean and standard deviation of each channel.</summary>
    /// <param name="pictures">Pictures <c>[examples, channels, height, width]</c>, uint8.</param>
    /// <param name="indices">Examples to measure (those of the training split); empty measures all.</param>
    /// <exception cref="ShapeException">The pictures have another shape.</exception>
    /// <exception cref="DataException">There is no picture or the values are not uint8.</exception>
    public static PixelNormalization Measure(Tensor pictures, ReadOnlySpan<long> indices = default)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        if (pictures.Sizes() is not [var count, var channels, var height, var width])
        {
            throw new ShapeException("PixelNormalization.Measure", nameof(pictures), "[examples, channels, height, width]", pictures.Sizes());
        }
        if (pictures.dtype != uint8 || count == 0)
        {
            throw new DataException($"PixelNormalization.Measure: expected at least one picture of uint8 pixels, got {count} of {pictures.dtype}.");
        }
        IndexCheck.Within("PixelNormalization.Measure", indices, count);
        var examples = indices.IsEmpty ? count : indices.Length;
        var (sums, squares) = (new long[channels], new long[channels]);
        const int Chunk = 1024; // pictures converted at a time; bounds the memory of the wider type
        for (var start = 0L; start < examples; start += Chunk)
        {
            using var scope = NewDisposeScope();
            var size = Math.Min(Chunk, examples - start);
            var part = indices.IsEmpty
                ? pictures.narrow(0, start, size)
                : pictures.index_select(0, torch.tensor(indices.Slice((int)start, (int)size).ToArray(), int64));
            var wide = part.to_type(int32);
            Add(sums, wide.sum([0L, 2L, 3L], type: int64));
            Add(squares, wide.mul_(wide).sum([0L, 2L, 3L], type: int64));
        }
        var pixels = 255.0 * examples * height * width;
        var mean = sums.Select(sum => sum / pixels).ToArray();
        var deviation = squares.Select((square, c) => Math.Sqrt(Math.Max(0, (square / (pixels * 255)) - (mean[c] * mean[c])))).ToArray();
        return new()
        {
            Mean = mean,
            // A constant channel carries nothing; dividing by 1 keeps it finite.
            StandardDeviation = Array.ConvertAll(deviation, value => value > 1e-8 ? value : 1.0),
        };
    }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">A value is out of its range, or only one of the two lists is given.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(!string.IsNullOrEmpty(Field), "Field must name a field.")
        .Require((Mean?.Count ?? 0) == (StandardDeviation?.Count ?? 0),
            $"Mean ({Mean?.Count ?? 0} values) and StandardDeviation ({StandardDeviation?.Count ?? 0} values) must have one value for each channel.")
        .Require(Mean?.All(double.IsFinite) ?? true, "Mean must be finite.")
        .Require(StandardDeviation?.All(value => double.IsFinite(value) && value > 0) ?? true, "StandardDeviation must be above 0.")
        .ThrowIfAny();

    /// <summary>Factor and summand <c>[1, channels, 1, 1]</c> that turn a pixel of 0 to 255 into its number; the caller owns both.</summary>
    internal (Tensor Scale, Tensor Shift) CreateScaleAndShift()
    {
        IReadOnlyList<double> mean = Mean ?? [0.0], deviation = StandardDeviation ?? [1.0];
        var scale = torch.tensor(deviation.Select(value => (float)(1 / (255 * value))).ToArray(), [1, deviation.Count, 1, 1], float32);
        var shift = torch.tensor(mean.Select((value, c) => (float)(-value / deviation[c])).ToArray(), [1, mean.Count, 1, 1], float32);
        return (scale.DetachFromDisposeScope(), shift.DetachFromDisposeScope());
    }

    private static void Add(long[] totals, Tensor part)
    {
        var values = part.data<long>();
        for (var c = 0; c < totals.Length; c++)
        {
            totals[c] += values[c];
        }
    }
}
