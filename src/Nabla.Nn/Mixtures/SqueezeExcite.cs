using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Weighs channels by what the whole picture holds, <c>x * sigmoid(expand(relu(reduce(mean(x)))))</c>.
/// Source: Hu et al. (2018), arXiv:1709.01507.
/// </summary>
public sealed class SqueezeExcite : Module<Tensor, Tensor>
{
    private readonly Linear reduce, expand;
    private readonly int _channels;

    /// <summary>Creates the layer.</summary>
    /// <param name="channels">Number of channels, at least 1.</param>
    /// <param name="reduction">By how much the width inside is smaller, at least 1; the width is at least 1.</param>
    public SqueezeExcite(int channels, int reduction = 16)
        : base(nameof(SqueezeExcite))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(reduction, 1);
        _channels = channels;
        var inside = Math.Max(1, channels / reduction);
        reduce = Linear(channels, inside);
        expand = Linear(inside, channels);
        RegisterComponents();
    }

    /// <summary>Weighs the channels.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c> with at least one further axis.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The layout or the number of channels differs.</exception>
    public override Tensor forward(Tensor x)
    {
        var shape = x.Sizes();
        if (shape.Length < 3 || shape[1] != _channels)
        {
            throw new ShapeException("SqueezeExcite.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[batch, channels={_channels}, ...] with at least one further axis"), shape);
        }
        using var scope = NewDisposeScope();
        var squeezed = x.flatten(2).mean([2]); // [batch, channels]
        var weights = expand.call(functional.relu(reduce.call(squeezed))).sigmoid(); // [batch, channels]
        return x.mul(weights.view([shape[0], shape[1], .. Enumerable.Repeat(1L, shape.Length - 2)])).MoveToOuterDisposeScope();
    }
}
