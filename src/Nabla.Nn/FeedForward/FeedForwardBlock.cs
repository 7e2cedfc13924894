using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Two projections with an activation between, <c>down(activation(up(x)))</c>, or gated, <c>down(activation(gate(x)) * up(x))</c>.
/// Sources: Vaswani et al. (2017), section 3.3; Shazeer (2020), arXiv:2002.05202.
/// </summary>
public sealed class FeedForwardBlock : Module<Tensor, Tensor>
{
    private readonly Linear? gate;
    private readonly Linear up, down;
    private readonly FeedForwardOptions _options;
    private readonly Func<Tensor, Tensor> _activation;

    /// <summary>Creates the block.</summary>
    /// <param name="options">Size and kind.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public FeedForwardBlock(FeedForwardOptions options)
        : base(nameof(FeedForwardBlock))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _activation = ActivationFunctions.Function(options.Activation);
        gate = options.IsGated ? Linear(options.Features, options.Hidden, options.UseBias) : null;
        up = Linear(options.Features, options.Hidden, options.UseBias);
        down = Linear(options.Hidden, options.Features, options.UseBias);
        RegisterComponents();
    }

    /// <summary>Applies the block.</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <returns><c>[..., features]</c>.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public override Tensor forward(Tensor x)
    {
        Check(x);
        using var scope = NewDisposeScope();
        var hidden = gate is null ? _activation(up.call(x)) : _activation(gate.call(x)).mul(up.call(x)); // [..., hidden]
        if (training && _options.Dropout > 0)
        {
            hidden = FastDropout.Apply(hidden, _options.Dropout);
        }
        return down.call(hidden).MoveToOuterDisposeScope(); // [..., hidden] -> [..., features]
    }

    /// <summary>The block before its last bias, which a fused kernel adds: <c>x + dropout(branch + bias)</c>.</summary>
    internal (Tensor Branch, Tensor? Bias) Branch(Tensor x)
    {
        Check(x);
        using var scope = NewDisposeScope();
        var dropout = training ? _options.Dropout : 0;
        Tensor hidden; // [..., hidden]
        if (gate is null && FusedOps.HasActivation(_options.Activation))
        {
            hidden = FusedOps.Activate(functional.linear(x, up.weight!), up.bias, _options.Activation, dropout);
        }
        else
        {
            hidden = FastDropout.Apply(gate is null ? _activation(up.call(x)) : _activation(gate.call(x)).mul(up.call(x)), dropout);
        }
        return (functional.linear(hidden, down.weight!).MoveToOuterDisposeScope(), down.bias);
    }

    private void Check(Tensor x)
    {
        if (x.Sizes() is not [.., var features] || features != _options.Features)
        {
            throw new ShapeException("FeedForwardBlock.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[..., features={_options.Features}]"), x.Sizes());
        }
    }
}
