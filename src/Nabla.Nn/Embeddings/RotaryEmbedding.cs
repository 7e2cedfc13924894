using System.Globalization;

namespace Nabla.Nn;

/// <summary>Size and angles of a <see cref="RotaryEmbedding"/>.</summary>
public sealed record RotaryOptions
{
    /// <summary>Size of a head, at least 2.</summary>
    public required int HeadSize { get; init; }

    /// <summary>How many of the first features turn, even, at most <see cref="HeadSize"/>; null: all. Default: null.</summary>
    public int? RotarySize { get; init; }

    /// <summary>Base of the wave lengths, above 1. Default: 10000.</summary>
    public double Base { get; init; } = 10000;

    /// <summary>Whether neighbours (2i, 2i + 1) turn together (RoFormer, GPT-J) instead of (i, i + half) (GPT-NeoX, Llama). Default: false.</summary>
    public bool IsInterleaved { get; init; }

    internal int Turning => RotarySize ?? HeadSize;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(HeadSize >= 2, $"HeadSize must be at least 2; it is {HeadSize}.")
        .Require(Turning >= 2 && Turning <= HeadSize && Turning % 2 == 0, $"RotarySize ({Turning}) must be even and at most HeadSize ({HeadSize}).")
        .Require(Base > 1, $"Base must be above 1; it is {Base}.")
        .ThrowIfAny();
}

/// <summary>
/// Turns pairs of features by an angle that grows with the position, so that attention scores depend on distances only.
/// Source: Su et al. (2021), arXiv:2104.09864. It has no parameters; the tables of sine and cosine are computed in double
/// precision, grow with the longest sequence seen, and belong to this module. Not thread-safe.
/// </summary>
public sealed class RotaryEmbedding : Module<Tensor, Tensor>
{
    private readonly RotaryOptions _options;
    private Tensor? _cosine, _sine; // caches, [time, turning], not part of the state
    private (ScalarType Type, string Device) _cachedFor;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Size and angles.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public RotaryEmbedding(RotaryOptions options)
        : base(nameof(RotaryEmbedding))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        RegisterComponents();
    }

    /// <summary>Turns features at positions 0, 1, 2 ...</summary>
    /// <param name="x"><c>[batch, heads, time, headSize]</c>.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public override Tensor forward(Tensor x) => Rotate(x, 0);

    /// <summary>Turns features at positions <paramref name="start"/>, <paramref name="start"/> + 1 ...</summary>
    /// <param name="x"><c>[..., time, headSize]</c>.</param>
    /// <param name="start">Position of the first step.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public Tensor Rotate(Tensor x, long start)
    {
        var time = Check(x);
        using var scope = NewDisposeScope();
        EnsureTables(start + time, x);
        return Turn(x, _cosine!.narrow(0, start, time), _sine!.narrow(0, start, time)).MoveToOuterDisposeScope();
    }

    /// <summary>Turns features at given positions.</summary>
    /// <param name="x"><c>[..., time, headSize]</c>.</param>
    /// <param name="positions">int64, <c>[time]</c>, at least 0.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The last axis has another size, or the positions another length.</exception>
    public Tensor Rotate(Tensor x, Tensor positions)
    {
        var time = Check(x);
        if (positions.Sizes() is not [var count] || count != time)
        {
            throw new ShapeException("RotaryEmbedding.Rotate", nameof(positions), string.Create(CultureInfo.InvariantCulture, $"[time={time}]"), positions.Sizes());
        }
        using var scope = NewDisposeScope();
        var (cosine, sine) = Tables(positions, x.dtype);
        return Turn(x, cosine, sine).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cosine?.Dispose();
            _sine?.Dispose();
        }
        base.Dispose(disposing);
    }

    private long Check(Tensor x) => x.Sizes() is [.., var time, var size] && size == _options.HeadSize
        ? time
        : throw new ShapeException("RotaryEmbedding.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[..., time, headSize={_options.HeadSize}]"), x.Sizes());

    private void EnsureTables(long time, Tensor x)
    {
        var wanted = (x.dtype, x.device.ToString());
        if (_cosine is not null && _cachedFor == wanted && _cosine.Sizes()[0] >= time)
        {
            return;
        }
        using var ungraded = no_grad();
        _cosine?.Dispose();
        _sine?.Dispose();
        var length = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(time, 64)); // doubling: few rebuilds as a text grows
        var (cosine, sine) = Tables(torch.arange(Number.Of(length), ScalarType.Int64, device: x.device), x.dtype);
        (_cosine, _sine, _cachedFor) = (cosine.DetachFromDisposeScope(), sine.DetachFromDisposeScope(), wanted);
    }

    private (Tensor Cosine, Tensor Sine) Tables(Tensor positions, ScalarType type)
    {
        var turning = _options.Turning;
        // In float32 the angle loses three digits at position 100,000.
        var exponents = torch.arange(Number.Of(0), Number.Of(turning), Number.Of(2), ScalarType.Float64, device: positions.device).div_(Number.Of(-turning));
        var frequencies = torch.pow(torch.full([1], Number.Of(_options.Base), ScalarType.Float64, device: positions.device), exponents); // [turning / 2]
        var angles = positions.to(ScalarType.Float64).unsqueeze(-1) * frequencies; // [time, turning / 2]
        return (Spread(angles.cos()).to(type), Spread(angles.sin()).to(type));
    }

    private Tensor Spread(Tensor halves) => _options.IsInterleaved ? halves.repeat_interleave(2, -1) : torch.cat([halves, halves], -1); // [time, turning]

    private Tensor Turn(Tensor x, Tensor cosine, Tensor sine)
    {
        var turning = _options.Turning;
        if (turning == _options.HeadSize)
        {
            return TurnAll(x, cosine, sine);
        }
        var turned = TurnAll(x.narrow(-1, 0, turning), cosine, sine);
        return torch.cat([turned, x.narrow(-1, turning, _options.HeadSize - turning)], -1);
    }

    private Tensor TurnAll(Tensor x, Tensor cosine, Tensor sine)
    {
        // (a, b) -> (a cos - b sin, b cos + a sin)
        Tensor partner;
        if (_options.IsInterleaved)
        {
            var pairs = x.reshape([.. x.Sizes()[..^1], x.Sizes()[^1] / 2, 2]); // [..., turning / 2, 2]
            partner = torch.stack([-pairs.select(-1, 1), pairs.select(-1, 0)], -1).reshape(x.Sizes());
        }
        else
        {
            var half = x.Sizes()[^1] / 2;
            partner = torch.cat([-x.narrow(-1, half, half), x.narrow(-1, 0, half)], -1);
        }
        return (x * cosine).addcmul_(partner, sine, Number.Of(1));
    }
}
