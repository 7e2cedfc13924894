using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// A frozen linear layer with a trained change of low rank, <c>x W' + bias + scale (x A') B'</c> (LoRA: Hu et al., 2021,
/// arXiv:2106.09685), or with a trained length of each output, <c>x (m V / |V|)' + bias</c> with <c>V = W + scale B A</c> (DoRA), where
/// the length <c>|V|</c> carries no gradient. It starts as the frozen layer: B is 0, and m the length of W.
/// </summary>
public sealed class LowRankLinear : Module<Tensor, Tensor>
{
    private readonly Parameter weight, down, up; // W, A and B of the paper
    private readonly Parameter? bias, magnitude;
    private readonly LowRankLinearOptions _options;

    /// <summary>Creates the layer with the initial weights of a linear layer; replace <c>weight</c> and <c>bias</c> by those of the model.</summary>
    /// <param name="options">Size and kind.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public LowRankLinear(LowRankLinearOptions options)
        : base(nameof(LowRankLinear))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var bound = 1 / Math.Sqrt(options.InputFeatures);
        weight = torch.empty(options.OutputFeatures, options.InputFeatures).uniform_(-bound, bound).AsOwnedParameter(requiresGrad: false);
        bias = options.UseBias ? torch.empty(options.OutputFeatures).uniform_(-bound, bound).AsOwnedParameter(requiresGrad: false) : null;
        down = torch.empty(options.Rank, options.InputFeatures).uniform_(-bound, bound).AsOwnedParameter(); // as in peft: kaiming uniform of slope sqrt 5
        up = torch.zeros(options.OutputFeatures, options.Rank).AsOwnedParameter();
        if (options.UseMagnitude)
        {
            using var scope = NewDisposeScope();
            magnitude = weight.detach().square().sum(1).sqrt().AsOwnedParameter(); // [outputs]
        }
        RegisterComponents();
    }

    /// <summary>Applies the layer.</summary>
    /// <param name="x"><c>[..., inputFeatures]</c>.</param>
    /// <returns><c>[..., outputFeatures]</c>.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public override Tensor forward(Tensor x)
    {
        if (x.Sizes() is not [.., var features] || features != _options.InputFeatures)
        {
            throw new ShapeException("LowRankLinear.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[..., features={_options.InputFeatures}]"), x.Sizes());
        }
        using var scope = NewDisposeScope();
        if (magnitude is not null)
        {
            return functional.linear(x, Merged(), bias!).MoveToOuterDisposeScope(); // [..., outputs]
        }
        var dropped = training && _options.Dropout > 0 ? FastDropout.Apply(x, _options.Dropout) : x;
        var change = functional.linear(functional.linear(dropped, down), up); // [..., inputs] -> [..., rank] -> [..., outputs]
        return functional.linear(x, weight, bias!).add(change, Number.Of(_options.Scale)).MoveToOuterDisposeScope();
    }

    /// <summary>The weight of the plain linear layer that does the same, for serving without the adapter.</summary>
    /// <returns><c>[outputFeatures, inputFeatures]</c>; the caller owns it.</returns>
    public Tensor Merged()
    {
        using var scope = NewDisposeScope();
        var changed = weight.add(up.mm(down), Number.Of(_options.Scale)); // [outputs, inputs]
        if (magnitude is null)
        {
            return changed.MoveToOuterDisposeScope();
        }
        var length = changed.detach().square().sum(1).sqrt(); // [outputs]; the paper's section 4.3 stops its gradient
        return (changed * (magnitude / length).unsqueeze(1)).MoveToOuterDisposeScope();
    }
}
