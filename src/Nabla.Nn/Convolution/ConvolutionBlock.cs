namespace Nabla.Nn;

/// <summary>Convolution over sequences, pictures or volumes, then a normalisation, then an activation: <c>activation(norm(convolution(x)))</c>.</summary>
public sealed class ConvolutionBlock : Module<Tensor, Tensor>
{
    private readonly ConvolutionLayer convolution;
    private readonly Module<Tensor, Tensor>? norm;
    private readonly ConvolutionOptions _options;
    private readonly Func<Tensor, Tensor>? _activation;

    /// <summary>Creates the block.</summary>
    /// <param name="options">Its size and parts.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public ConvolutionBlock(ConvolutionOptions options)
        : base(nameof(ConvolutionBlock))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        convolution = new ConvolutionLayer(new()
        {
            Axes = options.Axes,
            InputChannels = options.InputChannels,
            OutputChannels = options.OutputChannels,
            KernelSize = [options.KernelSize],
            Stride = [options.Stride],
            Padding = [options.EffectivePadding],
            Dilation = [options.Dilation],
            Groups = options.Groups,
            UseBias = options.HasBias,
        });
        norm = Normalizations.ForChannels(options.Normalization, options.OutputChannels, options.NormalizationGroups);
        _activation = options.Activation == "identity" ? null : ActivationFunctions.Function(options.Activation);
        RegisterComponents();
    }

    /// <summary>Applies the block.</summary>
    /// <param name="x"><c>[batch, inputChannels, ...]</c> with as many further axes as <see cref="ConvolutionOptions.Axes"/>.</param>
    /// <returns><c>[batch, outputChannels, ...]</c>.</returns>
    /// <exception cref="ShapeException">The layout or the number of channels differs, or the kernel does not fit.</exception>
    public override Tensor forward(Tensor x)
    {
        if (x.Dimensions != _options.Axes + 2)
        {
            throw new ShapeException("ConvolutionBlock.forward", nameof(x), AxisSizes.Layout(_options.Axes, _options.InputChannels), x.Sizes(), "Give pictures a batch axis.");
        }
        var y = convolution.call(x); // [batch, outputChannels, ...]
        if (norm is not null)
        {
            using var convolved = y;
            y = norm.call(convolved);
        }
        if (_activation is not null)
        {
            using var normalized = y;
            y = _activation(normalized);
        }
        return y;
    }
}
