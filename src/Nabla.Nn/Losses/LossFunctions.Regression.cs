using System.Globalization;

namespace Nabla.Nn;

public static partial class LossFunctions
{
    /// <summary>Squared error, <c>(prediction - target)^2</c>.</summary>
    /// <param name="predictions">Any shape.</param>
    /// <param name="targets">The same shape.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor MeanSquaredError(Tensor predictions, Tensor targets, Reduction reduction = Reduction.Mean)
        => Elementwise("MeanSquaredError", predictions, targets, (x, y) => functional.mse_loss(x, y, reduction));

    /// <summary>Absolute error, <c>|prediction - target|</c>.</summary>
    /// <param name="predictions">Any shape.</param>
    /// <param name="targets">The same shape.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor MeanAbsoluteError(Tensor predictions, Tensor targets, Reduction reduction = Reduction.Mean)
        => Elementwise("MeanAbsoluteError", predictions, targets, (x, y) => functional.l1_loss(x, y, reduction));

    /// <summary>Squared error / 2 near 0 and <c>delta (|error| - delta / 2)</c> beyond. Source: Huber (1964).</summary>
    /// <param name="predictions">Any shape.</param>
    /// <param name="targets">The same shape.</param>
    /// <param name="delta">Where it turns linear, above 0.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Huber(Tensor predictions, Tensor targets, double delta = 1, Reduction reduction = Reduction.Mean)
        => Elementwise("Huber", predictions, targets, (x, y) => functional.huber_loss(x, y, delta, reduction));

    /// <summary>Huber loss divided by beta; beta 0 is the absolute error. Source: Girshick (2015), arXiv:1504.08083.</summary>
    /// <param name="predictions">Any shape.</param>
    /// <param name="targets">The same shape.</param>
    /// <param name="beta">Where it turns linear, at least 0.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor SmoothL1(Tensor predictions, Tensor targets, double beta = 1, Reduction reduction = Reduction.Mean)
        => Elementwise("SmoothL1", predictions, targets, (x, y) => beta == 0 ? functional.l1_loss(x, y, reduction) : functional.smooth_l1_loss(x, y, reduction, beta));

    /// <summary>Logarithm of the hyperbolic cosine of the error, without overflow.</summary>
    /// <param name="predictions">Any shape.</param>
    /// <param name="targets">The same shape.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor LogCosh(Tensor predictions, Tensor targets, Reduction reduction = Reduction.Mean)
        => Elementwise("LogCosh", predictions, targets, (x, y) => Reduce((x - y) + functional.softplus(Number.Of(-2) * (x - y)) - Number.Of(Math.Log(2)), reduction));

    /// <summary>Negative log likelihood of counts, <c>rate - target log rate</c>.</summary>
    /// <param name="predictions">Logarithms of rates, or rates; any shape.</param>
    /// <param name="targets">Counts, the same shape.</param>
    /// <param name="isLogRate">Whether predictions are logarithms.</param>
    /// <param name="isFull">Whether Stirling's approximation of <c>log target!</c> is added for targets above 1.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor PoissonNegativeLogLikelihood(Tensor predictions, Tensor targets, bool isLogRate = true, bool isFull = false, Reduction reduction = Reduction.Mean)
        => Elementwise("PoissonNegativeLogLikelihood", predictions, targets, (x, y) =>
        {
            const double Epsilon = 1e-8; // as in PyTorch
            var loss = isLogRate ? x.exp() - (y * x) : x - (y * (x + Number.Of(Epsilon)).log());
            if (isFull)
            {
                var stirling = (y * y.log()) - y + (Number.Of(0.5) * (Number.Of(2 * Math.PI) * y).log());
                loss = loss + stirling.masked_fill(y.le(Number.Of(1)), Number.Of(0));
            }
            return Reduce(loss, reduction);
        });

    /// <summary>Negative log likelihood of a normal distribution, <c>(log variance + error^2 / variance) / 2</c>. Source: Nix and Weigend (1994).</summary>
    /// <param name="means">Any shape.</param>
    /// <param name="targets">The same shape.</param>
    /// <param name="variances">At least 0, the same shape or a last axis of 1; raised to <paramref name="epsilon"/> without touching the gradient.</param>
    /// <param name="isFull">Whether the constant is added.</param>
    /// <param name="epsilon">Smallest variance.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor GaussianNegativeLogLikelihood(Tensor means, Tensor targets, Tensor variances, bool isFull = false, double epsilon = 1e-6, Reduction reduction = Reduction.Mean)
        => Elementwise("GaussianNegativeLogLikelihood", means, targets, (x, y) =>
        {
            var variance = Widen(variances);
            variance = variance + (variance.detach().clamp_min(Number.Of(epsilon)) - variance.detach()); // the gradient passes the bound
            var loss = Number.Of(0.5) * (variance.log() + ((x - y).square() / variance));
            return Reduce(isFull ? loss + Number.Of(0.5 * Math.Log(2 * Math.PI)) : loss, reduction);
        });

    /// <summary>Quantile loss, <c>max(q e, (q - 1) e)</c> with <c>e = target - prediction</c>. Source: Koenker and Bassett (1978).</summary>
    /// <param name="predictions"><c>[..., quantiles]</c>.</param>
    /// <param name="targets"><c>[...]</c>.</param>
    /// <param name="quantiles">Each in (0, 1).</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Pinball(Tensor predictions, Tensor targets, IReadOnlyList<double> quantiles, Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(quantiles);
        if (predictions.Dimensions != targets.Dimensions + 1 || predictions.Sizes()[^1] != quantiles.Count || !predictions.Sizes().AsSpan(0, targets.Sizes().Length).SequenceEqual(targets.Sizes()))
        {
            throw new ShapeException("Pinball", nameof(predictions), string.Create(CultureInfo.InvariantCulture, $"targets {ShapeException.Format(targets.Sizes())} with a last axis quantiles={quantiles.Count}"), predictions.Sizes());
        }
        using var scope = NewDisposeScope();
        var x = Widen(predictions);
        var q = torch.tensor(quantiles.ToArray(), x.dtype, x.device); // [quantiles]
        var error = targets.to(x.dtype).unsqueeze(-1) - x; // [..., quantiles]
        return Reduce(torch.maximum(q * error, (q - Number.Of(1)) * error), reduction).MoveToOuterDisposeScope();
    }

    private static Tensor Elementwise(string where, Tensor predictions, Tensor targets, Func<Tensor, Tensor, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        var x = Widen(predictions);
        return loss(x, Align(x, targets, where)).MoveToOuterDisposeScope();
    }
}
