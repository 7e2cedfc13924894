using System.Globalization;

namespace Nabla.Nn;

/// <summary>Convolution over pictures, then a normalisation, then an activation: <c>activation(norm(convolution(x)))</c>.</summary>
public sealed class ConvolutionBlock2d : Module<Tensor, Tensor>
{
    private readonly Conv2d convolution;
    private readonly Module<Tensor, Tensor>? norm;
    private readonly ConvolutionOptions _options;
    private readonly Func<Tensor, Tensor>? _activation;

    /// <summary>Creates the block.</summary>
    /// <param name="options">Its size and parts.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public ConvolutionBlock2d(ConvolutionOptions options)
        : base(nameof(ConvolutionBlock2d))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        convolution = Conv2d(options.InputChannels, options.OutputChannels, options.KernelSize, stride: options.Stride, padding: options.EffectivePadding,
            dilation: options.Dilation, groups: options.Groups, bias: options.HasBias);
        norm = Normalizations.ForChannels(options.Normalization, options.OutputChannels, options.NormalizationGroups);
        _activation = options.Activation == "identity" ? null : ActivationFunctions.Function(options.Activation);
        RegisterComponents();
    }

    /// <summary>Applies the block.</summary>
    /// <param name="x"><c>[batch, inputChannels, height, width]</c>.</param>
    /// <returns><c>[batch, outputChannels, newHeight, newWidth]</c>.</returns>
    /// <exception cref="ShapeException">The layout or the number of channels differs, or the kernel does not fit.</exception>
    public override Tensor forward(Tensor x)
    {
        Check(x.shape);
        var y = convolution.call(x); // [batch, outputChannels, newHeight, newWidth]
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

    private void Check(long[] shape)
    {
        var fits = shape.Length == 4 && shape[1] == _options.InputChannels;
        for (var axis = 2; fits && axis < shape.Length; axis++)
        {
            fits = ConvolutionShape.Output(shape[axis], _options.KernelSize, _options.Stride, _options.EffectivePadding, _options.Dilation) >= 1;
        }
        if (!fits)
        {
            throw new ShapeException("ConvolutionBlock2d.forward", "x", string.Create(CultureInfo.InvariantCulture, $"[batch, channels={_options.InputChannels}, height, width]"), shape,
                string.Create(CultureInfo.InvariantCulture, $"The kernel of {_options.KernelSize} (dilation {_options.Dilation}) must fit the input with a padding of {_options.EffectivePadding}."));
        }
    }
}
