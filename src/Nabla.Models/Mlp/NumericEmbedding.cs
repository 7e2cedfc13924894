namespace Nabla.Models;

/// <summary>
/// Turns each numeric column into a vector: <c>[batch, features] -> [batch, features * size]</c>.
/// Source: Gorishniy, Rubachev and Babenko (2022), arXiv:2203.05556.
/// </summary>
internal abstract class NumericEmbedding(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>The embedding that <paramref name="options"/> ask for; null for none.</summary>
    public static NumericEmbedding? Create(MlpOptions options, ModelInput input) => (input.Features, options.NumericEmbedding) switch
    {
        (0, _) or (_, "none") => null,
        (var features, "linear") => new LinearNumericEmbedding(features, options.NumericEmbeddingSize),
        (var features, "periodic") => new PeriodicEmbedding(features, options),
        (var features, _) => new PiecewiseLinearEmbedding(features, options, input.FeatureEdges),
    };
}

/// <summary><c>relu(weight_j * x_j + bias_j)</c>.</summary>
internal sealed class LinearNumericEmbedding : NumericEmbedding
{
    private readonly Parameter weight, bias;

    public LinearNumericEmbedding(int features, int size)
        : base(nameof(LinearNumericEmbedding))
    {
        var bound = 1 / Math.Sqrt(size);
        weight = empty(features, size).uniform_(-bound, bound).AsOwnedParameter();
        bias = empty(features, size).uniform_(-bound, bound).AsOwnedParameter();
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
        bias.addcmul(x.unsqueeze(-1), weight, Number.Of(1)).relu_().flatten(1));   // [batch, features, size] -> [batch, features * size]
}

/// <summary>
/// <c>relu(linear_j([cos(v), sin(v)]))</c> with <c>v = 2 pi c_j x_j</c> and learned frequencies <c>c_j ~ N(0, scale)</c>, cut at three
/// standard deviations.
/// </summary>
internal sealed class PeriodicEmbedding : NumericEmbedding, IOwnOperations
{
    private readonly Parameter frequencies;
    private readonly ColumnLinear? columns;
    private readonly Linear? shared;

    public PeriodicEmbedding(int features, MlpOptions options)
        : base(nameof(PeriodicEmbedding))
    {
        var (count, scale) = (options.Frequencies, options.FrequencyScale);
        using (no_grad())
        {
            var initial = empty(features, count);
            init.trunc_normal_(initial, 0, scale, -3 * scale, 3 * scale);
            frequencies = initial.AsOwnedParameter();
        }
        (columns, shared) = options.ShareNumericLayer
            ? ((ColumnLinear?)null, (Linear?)Linear(2 * count, options.NumericEmbeddingSize))
            : (new ColumnLinear(features, 2 * count, options.NumericEmbeddingSize), null);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var v = x.unsqueeze(-1) * (frequencies * Number.Of(2 * Math.PI));                   // [batch, features, frequencies]
        var waves = cat([v.cos(), v.sin()], -1);                                   // [batch, features, 2 * frequencies]
        var vectors = columns is not null ? columns.call(waves) : shared!.call(waves);
        return vectors.relu_().flatten(1);                                         // [batch, features * size]
    });

    public long OwnMultiplyAdds(IReadOnlyList<long[]> inputs, IReadOnlyList<long[]> outputs) => inputs[0][0] * frequencies.numel();
}

/// <summary>
/// Position of a number among <c>n + 1</c> edges as n values, <c>clamp((x - low_i) / (high_i - low_i))</c>, open at both ends, then a linear
/// layer for each column.
/// </summary>
internal sealed class PiecewiseLinearEmbedding : NumericEmbedding
{
    private readonly Tensor low, scale, floor, ceiling;   // buffers, saved with the weights: they come from the training data
    private readonly ColumnLinear columns;

    public PiecewiseLinearEmbedding(int features, MlpOptions options, IReadOnlyList<IReadOnlyList<double>>? edges)
        : base(nameof(PiecewiseLinearEmbedding))
    {
        edges ??= [.. Enumerable.Repeat<IReadOnlyList<double>>(NormalQuantiles(options.Bins + 1), features)];
        var bins = edges.Max(list => list.Count) - 1;
        var (lows, scales, floors, ceilings) = (new float[features * bins], new float[features * bins], new float[features * bins], new float[features * bins]);
        for (var column = 0; column < features; column++)
        {
            var own = edges[column].Count - 1;
            for (var bin = 0; bin < bins; bin++)
            {
                var i = (column * bins) + bin;
                if (bin >= own)
                {
                    continue; // a column with fewer edges: scale 0 and bounds 0 keep the rest at 0
                }
                var (from, to) = (edges[column][bin], edges[column][bin + 1]);
                lows[i] = (float)from;
                scales[i] = (float)(1 / Math.Max(to - from, 1e-6)); // equal edges make a step instead of a division by zero
                floors[i] = bin == 0 ? -10 : 0;                     // beyond the training data it goes on, but not without end
                ceilings[i] = bin == own - 1 ? 10 : 1;
            }
        }
        long[] shape = [features, bins];
        low = tensor(lows).reshape(shape).AsOwnedBuffer();
        scale = tensor(scales).reshape(shape).AsOwnedBuffer();
        floor = tensor(floors).reshape(shape).AsOwnedBuffer();
        ceiling = tensor(ceilings).reshape(shape).AsOwnedBuffer();
        columns = new(features, bins, options.NumericEmbeddingSize);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var position = (x.unsqueeze(-1) - low).mul_(scale);            // [batch, features, bins]
        var clipped = position.maximum(floor).minimum(ceiling);
        return columns.call(clipped).relu_().flatten(1);               // [batch, features * size]
    });

    /// <summary>Quantiles of the standard normal at (i + 1/2) / n.</summary>
    internal static double[] NormalQuantiles(int count)
    {
        using var scope = NewDisposeScope();
        var probabilities = (arange(Number.Of(count), dtype: ScalarType.Float64) + Number.Of(0.5)) / Number.Of(count);
        return ((Number.Of(2) * probabilities) - Number.Of(1)).erfinv().mul(Number.Of(Math.Sqrt(2))).data<double>().ToArray();
    }
}
