using System.Globalization;

namespace Nabla.Nn;

/// <summary>Ways to write a weight that make training easier, as functions that work for every layer. Thread-safe.</summary>
public static class WeightNormalizations
{
    /// <summary>Length and direction apart, <c>magnitude * direction / |direction|</c>. Source: Salimans and Kingma (2016), arXiv:1602.07868.</summary>
    /// <param name="direction">The weight's direction, any shape.</param>
    /// <param name="magnitude">Lengths, of size 1 on every axis but <paramref name="axis"/>; <c>[]</c> for no axis.</param>
    /// <param name="axis">The axis whose entries have lengths of their own (0: outputs); null: one length for all.</param>
    /// <returns>The weight, in the shape of <paramref name="direction"/>.</returns>
    /// <exception cref="ShapeException">The magnitude does not fit.</exception>
    public static Tensor ByLength(Tensor direction, Tensor magnitude, int? axis = 0)
    {
        long[] expected = axis is { } kept ? [.. direction.Sizes().Select((size, index) => index == kept ? size : 1)] : [];
        if (!magnitude.Sizes().AsSpan().SequenceEqual(expected))
        {
            throw new ShapeException("WeightNormalizations.ByLength", nameof(magnitude), string.Create(CultureInfo.InvariantCulture, $"{ShapeException.Format(expected)} beside direction {ShapeException.Format(direction.Sizes())}"), magnitude.Sizes());
        }
        using var scope = NewDisposeScope();
        var squares = direction.square();
        long[] others = [.. Enumerable.Range(0, (int)direction.Dimensions).Where(index => index != axis).Select(index => (long)index)];
        var length = (axis is null ? squares.sum() : others.Length == 0 ? squares : squares.sum(others, keepdim: true)).sqrt();
        return (direction * (magnitude / length)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The weight divided by its largest singular value, which is estimated by power iteration; the gradient passes through the
    /// weight only. Source: Miyato et al. (2018), arXiv:1802.05957.
    /// </summary>
    /// <param name="weight"><c>[outputs, ...]</c>; further axes count as one.</param>
    /// <param name="left">The left singular vector so far, <c>[outputs]</c>; rewritten when there are iterations.</param>
    /// <param name="right">The right singular vector so far, <c>[product of the further axes]</c>; rewritten likewise.</param>
    /// <param name="iterations">Steps of power iteration; 0 in evaluation.</param>
    /// <param name="epsilon">Smallest length that a vector is divided by.</param>
    /// <returns>The shape of <paramref name="weight"/>.</returns>
    /// <exception cref="ShapeException">The vectors do not fit the weight.</exception>
    public static Tensor BySpectrum(Tensor weight, Tensor left, Tensor right, int iterations = 1, double epsilon = 1e-12)
    {
        var shape = weight.Sizes();
        if (shape.Length < 2 || left.Sizes() is not [var rows] || right.Sizes() is not [var columns] || rows != shape[0] || columns * shape[0] != weight.numel())
        {
            throw new ShapeException("WeightNormalizations.BySpectrum", nameof(weight), $"[outputs, ...] beside left {ShapeException.Format(left.Sizes())} and right {ShapeException.Format(right.Sizes())}", shape);
        }
        using var scope = NewDisposeScope();
        var matrix = weight.reshape(rows, columns); // [outputs, others]
        using (no_grad())
        {
            var transposed = matrix.t();
            for (var step = 0; step < iterations; step++)
            {
                left.copy_(functional.normalize(matrix.mv(right), dim: 0, eps: epsilon));
                right.copy_(functional.normalize(transposed.mv(left), dim: 0, eps: epsilon));
            }
        }
        // The vectors change in place at the next forward pass; what backward needs of them is copied.
        var spectral = (left.clone() * matrix.mv(right.clone())).sum(); // []
        return (weight / spectral).MoveToOuterDisposeScope();
    }
}
