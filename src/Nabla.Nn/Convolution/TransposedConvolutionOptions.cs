namespace Nabla.Nn;

/// <summary>Size of a <see cref="TransposedConvolutionLayer"/>. Lists hold one number for all axes, or one for each.</summary>
public sealed record TransposedConvolutionOptions
{
    /// <summary>Axes that are convolved: 1 for sequences, 2 for pictures, 3 for volumes. Default: 2.</summary>
    public int Axes { get; init; } = 2;

    /// <summary>Channels that come in, at least 1; a multiple of <see cref="Groups"/>.</summary>
    public required int InputChannels { get; init; }

    /// <summary>Channels that go out, at least 1; a multiple of <see cref="Groups"/>.</summary>
    public required int OutputChannels { get; init; }

    /// <summary>Kernel size, at least 1. Default: 2.</summary>
    public IReadOnlyList<int> KernelSize { get; init; } = [2];

    /// <summary>Distance of inputs in the output, at least 1. Default: 2.</summary>
    public IReadOnlyList<int> Stride { get; init; } = [2];

    /// <summary>What is cut off each side of the output, at least 0. Default: 0.</summary>
    public IReadOnlyList<int> Padding { get; init; } = [0];

    /// <summary>What is added behind the output, below stride or dilation. Default: 0.</summary>
    public IReadOnlyList<int> OutputPadding { get; init; } = [0];

    /// <summary>Distance of kernel entries, at least 1. Default: 1.</summary>
    public IReadOnlyList<int> Dilation { get; init; } = [1];

    /// <summary>Groups of channels that do not see each other, at least 1. Default: 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether each output channel has a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate()
    {
        OptionsCheck.For(this)
            .Require(Axes is >= 1 and <= 3, $"Axes must be 1, 2 or 3; it is {Axes}.")
            .Require(InputChannels >= 1, $"InputChannels must be at least 1; it is {InputChannels}.")
            .Require(OutputChannels >= 1, $"OutputChannels must be at least 1; it is {OutputChannels}.")
            .RequireSizes(nameof(KernelSize), KernelSize, Axes, 1)
            .RequireSizes(nameof(Stride), Stride, Axes, 1)
            .RequireSizes(nameof(Padding), Padding, Axes, 0)
            .RequireSizes(nameof(OutputPadding), OutputPadding, Axes, 0)
            .RequireSizes(nameof(Dilation), Dilation, Axes, 1)
            .Require(Groups >= 1, $"Groups must be at least 1; it is {Groups}.")
            .Require(Groups < 1 || (InputChannels % Groups == 0 && OutputChannels % Groups == 0), $"InputChannels ({InputChannels}) and OutputChannels ({OutputChannels}) must be multiples of Groups ({Groups}).")
            .ThrowIfAny();
        var (added, stride, dilation) = (AxisSizes.Expand(OutputPadding, Axes), AxisSizes.Expand(Stride, Axes), AxisSizes.Expand(Dilation, Axes));
        OptionsCheck.For(this)
            .Require(Enumerable.Range(0, Axes).All(axis => added[axis] < Math.Max(stride[axis], dilation[axis])),
                $"OutputPadding [{string.Join(", ", OutputPadding)}] must be below Stride [{string.Join(", ", Stride)}] or Dilation [{string.Join(", ", Dilation)}].")
            .ThrowIfAny();
    }
}
