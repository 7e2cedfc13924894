using System.Globalization;

namespace Nabla.Core;

/// <summary>
/// Tensor operations whose raw form ends the process on wrong shapes, or that TorchSharp does not bind. Each checks shapes and
/// throws <see cref="ShapeException"/>. All follow autograd, and autocast where it is on. Thread-safe.
/// </summary>
public static partial class SafeOps
{
    /// <summary>Matrix product with broadcasting over leading axes.</summary>
    /// <param name="left"><c>[..., rows, inner]</c> or <c>[inner]</c>.</param>
    /// <param name="right"><c>[..., inner, columns]</c> or <c>[inner]</c>.</param>
    /// <returns><c>[..., rows, columns]</c>; an axis that came from a vector is left out.</returns>
    /// <exception cref="ShapeException">The inner sizes differ, or the leading axes cannot be broadcast.</exception>
    public static Tensor MatMul(Tensor left, Tensor right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        long[] a = left.Sizes(), b = right.Sizes();
        if (a.Length == 0 || b.Length == 0)
        {
            throw new ShapeException("SafeOps.MatMul", a.Length == 0 ? nameof(left) : nameof(right), "[..., rows, columns] or [size]", []);
        }
        var inner = a[^1];
        if ((b.Length == 1 ? b[0] : b[^2]) != inner)
        {
            throw new ShapeException("SafeOps.MatMul", nameof(right),
                string.Create(CultureInfo.InvariantCulture, $"[..., inner={inner}, columns] beside left {ShapeException.Format(a)}"), b, "The last size of left must equal the second last of right.");
        }
        if (a.Length == 2 && b.Length == 2)
        {
            return left.mm(right);
        }
        if (a.Length == 3 && b.Length == 3 && a[0] == b[0])
        {
            return left.bmm(right);
        }
        RequireBroadcast(a, b);
        return AtenScript.Call<Tensor>("matmul", left, right);
    }

    /// <summary>
    /// Root mean square normalisation of the last axis, <c>x / sqrt(mean(x^2) + epsilon) * weight</c>.
    /// Source: Zhang and Sennrich (2019), arXiv:1910.07467.
    /// </summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <param name="weight"><c>[features]</c>, or null.</param>
    /// <param name="epsilon">Added to the mean square; null: the machine epsilon of the type, as in PyTorch.</param>
    /// <returns><c>[..., features]</c>.</returns>
    /// <exception cref="ShapeException">The weight does not fit the last axis.</exception>
    public static Tensor RmsNorm(Tensor x, Tensor? weight = null, double? epsilon = 1e-6)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Dimensions == 0 || (weight is not null && (weight.Dimensions != 1 || weight.Sizes()[0] != x.Sizes()[^1])))
        {
            throw new ShapeException("SafeOps.RmsNorm", nameof(x), weight is null ? "[..., features]" : $"[..., features={weight.numel().ToString(CultureInfo.InvariantCulture)}]", x.Sizes());
        }
        return AtenScript.Call<Tensor>("rms_norm", x, x.Sizes()[^1], weight, epsilon);
    }

    /// <summary>Negative log likelihood of classes, with an ignored class (TorchSharp's binding has none).</summary>
    /// <param name="logProbabilities"><c>[batch, classes]</c>, <c>[classes]</c> or <c>[batch, classes, ...]</c>.</param>
    /// <param name="targets">Class numbers, int64, without the class axis; they must lie in [0, classes) or be ignored.</param>
    /// <param name="classWeights"><c>[classes]</c>, or null.</param>
    /// <param name="reduction">none, mean (weighted) or sum.</param>
    /// <param name="ignoredId">Targets of this number count nothing.</param>
    public static Tensor NegativeLogLikelihood(Tensor logProbabilities, Tensor targets, Tensor? classWeights = null, nn.Reduction reduction = nn.Reduction.Mean, long ignoredId = -100)
        => AtenScript.Call<Tensor>("nll", logProbabilities, targets, classWeights, (long)reduction, ignoredId);

    private static void RequireBroadcast(long[] a, long[] b)
    {
        for (int i = a.Length - 3, j = b.Length - 3; i >= 0 && j >= 0; i--, j--)
        {
            if (a[i] != b[j] && a[i] != 1 && b[j] != 1)
            {
                throw new ShapeException("SafeOps.MatMul", "right", $"leading axes that broadcast with left {ShapeException.Format(a)}", b, "Sizes of leading axes must be equal, or one of them 1.");
            }
        }
    }
}
