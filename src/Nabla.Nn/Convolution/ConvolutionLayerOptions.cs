namespace Nabla.Nn;

/// <summary>Size and padding of a <see cref="ConvolutionLayer"/>. Lists hold one number for all axes, or one for each.</summary>
public sealed record ConvolutionLayerOptions
{
    /// <summary>Axes that are convolved: 1 for sequences, 2 for pictures, 3 for volumes. Default: 2.</summary>
    public int Axes { get; init; } = 2;

    /// <summary>Channels that come in, at least 1; a multiple of <see cref="Groups"/>.</summary>
    public required int InputChannels { get; init; }

    /// <summary>Channels that go out, at least 1; a multiple of <see cref="Groups"/>.</summary>
    public required int OutputChannels { get; init; }

    /// <summary>Kernel size, at least 1. Default: 3.</summary>
    public IReadOnlyList<int> KernelSize { get; init; } = [3];

    /// <summary>Step, at least 1. Default: 1.</summary>
    public IReadOnlyList<int> Stride { get; init; } = [1];

    /// <summary>Padding on each side, at least 0; null: what keeps the size at stride 1 (an even kernel gets one more behind). Default: 0.</summary>
    public IReadOnlyList<int>? Padding { get; init; } = [0];

    /// <summary>What stands in the padding: zeros, reflect, replicate or circular. Default: zeros.</summary>
    public string PaddingMode { get; init; } = "zeros";

    /// <summary>Distance of kernel entries, at least 1. Default: 1.</summary>
    public IReadOnlyList<int> Dilation { get; init; } = [1];

    /// <summary>Groups of channels that do not see each other, at least 1; as many as channels: depthwise. Default: 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether each output channel has a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Axes is >= 1 and <= 3, $"Axes must be 1, 2 or 3; it is {Axes}.")
        .Require(InputChannels >= 1, $"InputChannels must be at least 1; it is {InputChannels}.")
        .Require(OutputChannels >= 1, $"OutputChannels must be at least 1; it is {OutputChannels}.")
        .RequireSizes(nameof(KernelSize), KernelSize, Axes, 1)
        .RequireSizes(nameof(Stride), Stride, Axes, 1)
        .RequireSizes(nameof(Padding), Padding, Axes, 0)
        .RequireSizes(nameof(Dilation), Dilation, Axes, 1)
        .Require(Padding is not null || Stride.All(step => step == 1), $"Padding null keeps the size at stride 1 only; Stride is [{string.Join(", ", Stride)}].")
        .OneOf(nameof(PaddingMode), PaddingMode, PaddingOptions.ModeNames)
        .Require(Groups >= 1, $"Groups must be at least 1; it is {Groups}.")
        .Require(Groups < 1 || (InputChannels % Groups == 0 && OutputChannels % Groups == 0), $"InputChannels ({InputChannels}) and OutputChannels ({OutputChannels}) must be multiples of Groups ({Groups}).")
        .ThrowIfAny();
}
