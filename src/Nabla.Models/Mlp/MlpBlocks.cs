namespace Nabla.Models;

/// <summary>Linear, norm, activation, dropout: <c>[batch, in] -> [batch, out]</c>.</summary>
internal sealed class MlpBlock : Module<Tensor, Tensor>
{
    private readonly Linear linear;
    private readonly Module<Tensor, Tensor>? norm;
    private readonly DropoutLayer? dropout;
    private readonly string _activation;

    public MlpBlock(int inputs, int outputs, MlpOptions options)
        : base(nameof(MlpBlock))
    {
        linear = Linear(inputs, outputs);
        norm = MlpParts.Norm(options.Norm, outputs);
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        _activation = options.Activation;
        RegisterComponents();
    }

    /// <summary>The linear part.</summary>
    public Linear Layer => linear;

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var h = linear.call(x);                                        // [batch, out]
        h = Activations.Apply(_activation, norm?.call(h) ?? h);
        return dropout?.call(h) ?? h;
    });
}

/// <summary><c>x + dropout(out(dropout(activation(in(norm(x))))))</c>. Source: Gorishniy et al. (2021), arXiv:2106.11959, section 3.2.</summary>
internal sealed class ResidualMlpBlock : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor>? norm;
    private readonly Linear widen, narrow;
    private readonly DropoutLayer? dropout;
    private readonly string _activation;

    public ResidualMlpBlock(int width, MlpOptions options)
        : base(nameof(ResidualMlpBlock))
    {
        var inner = Math.Max(1, (int)Math.Round(width * options.Expansion));
        norm = MlpParts.Norm(options.Norm, width);
        (widen, narrow) = (Linear(width, inner), Linear(inner, width));
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        _activation = options.Activation;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var h = Activations.Apply(_activation, widen.call(norm?.call(x) ?? x));   // [batch, inner]
        h = narrow.call(dropout?.call(h) ?? h);                                           // [batch, width]
        return x + (dropout?.call(h) ?? h);
    });
}

/// <summary>What both blocks need.</summary>
internal static class MlpParts
{
    public static Module<Tensor, Tensor>? Norm(string norm, int features) => norm switch
    {
        "batch" => BatchNorm1d(features),
        "layer" => LayerNorm([features]),
        _ => null,
    };
}
