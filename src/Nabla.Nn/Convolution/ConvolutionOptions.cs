namespace Nabla.Nn;

/// <summary>Size and parts of a <see cref="ConvolutionBlock"/>.</summary>
public sealed record ConvolutionOptions
{
    /// <summary>Axes that are convolved: 1 for sequences, 2 for pictures, 3 for volumes. Default: 2.</summary>
    public int Axes { get; init; } = 2;

    /// <summary>Channels that come in, at least 1; a multiple of <see cref="Groups"/>.</summary>
    public required int InputChannels { get; init; }

    /// <summary>Channels that go out, at least 1; a multiple of <see cref="Groups"/>.</summary>
    public required int OutputChannels { get; init; }

    /// <summary>Kernel size along each axis, at least 1. Default: 3.</summary>
    public int KernelSize { get; init; } = 3;

    /// <summary>Step along each axis, at least 1. Default: 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Zeros on each side; null: what keeps the size at stride 1 for an odd kernel. Default: null.</summary>
    public int? Padding { get; init; }

    /// <summary>Distance of kernel entries, at least 1. Default: 1.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>Groups of channels that do not see each other, at least 1. Default: 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether each output channel has a bias; null: only without a normalisation. Default: null.</summary>
    public bool? UseBias { get; init; }

    /// <summary>Normalisation after the convolution: batch-norm, group-norm, layer-norm or none. Default: batch-norm.</summary>
    public string Normalization { get; init; } = "batch-norm";

    /// <summary>Groups of a group-norm; the output channels are a multiple of it. Default: 8.</summary>
    public int NormalizationGroups { get; init; } = 8;

    /// <summary>Activation after the normalisation, by name; identity for none. Default: relu.</summary>
    public string Activation { get; init; } = "relu";

    /// <summary>Padding in use.</summary>
    internal int EffectivePadding => Padding ?? ConvolutionShape.SamePadding(KernelSize, Dilation);

    /// <summary>Whether a bias is in use.</summary>
    internal bool HasBias => UseBias ?? Normalization == "none";

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Axes is >= 1 and <= 3, $"Axes must be 1, 2 or 3; it is {Axes}.")
        .Require(InputChannels >= 1, $"InputChannels must be at least 1; it is {InputChannels}.")
        .Require(OutputChannels >= 1, $"OutputChannels must be at least 1; it is {OutputChannels}.")
        .Require(KernelSize >= 1, $"KernelSize must be at least 1; it is {KernelSize}.")
        .Require(Stride >= 1, $"Stride must be at least 1; it is {Stride}.")
        .Require(Padding is null or >= 0, $"Padding must be at least 0; it is {Padding}.")
        .Require(Dilation >= 1, $"Dilation must be at least 1; it is {Dilation}.")
        .Require(Groups >= 1, $"Groups must be at least 1; it is {Groups}.")
        .Require(Groups < 1 || (InputChannels % Groups == 0 && OutputChannels % Groups == 0), $"InputChannels ({InputChannels}) and OutputChannels ({OutputChannels}) must be multiples of Groups ({Groups}).")
        .OneOf(nameof(Normalization), Normalization, Normalizations.ChannelNames)
        .Require(Normalization != "group-norm" || (NormalizationGroups >= 1 && OutputChannels % NormalizationGroups == 0), $"OutputChannels ({OutputChannels}) must be a multiple of NormalizationGroups ({NormalizationGroups}).")
        .OneOf(nameof(Activation), Activation, ActivationFunctions.Names)
        .ThrowIfAny();
}
