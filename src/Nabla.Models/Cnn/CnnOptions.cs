namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="Cnn"/>.</summary>
public sealed record CnnOptions
{
    internal static readonly IReadOnlyList<string> NormNames = ["none", "batch"];
    internal static readonly IReadOnlyList<string> PoolingNames = ["max", "average", "stride", "none"];
    internal static readonly IReadOnlyList<string> HeadPoolingNames = ["flatten", "average", "max"];

    /// <summary>Output channels of each block, at least one block. Default: [32, 64, 128].</summary>
    public IReadOnlyList<int> Channels { get; init; } = [32, 64, 128];

    /// <summary>Convolutions in each block, at least 1. Default: 1.</summary>
    public int ConvolutionsPerBlock { get; init; } = 1;

    /// <summary>Side of the convolutions, odd, in pixels. Default: 3.</summary>
    public int KernelSize { get; init; } = 3;

    /// <summary>Normalisation after each convolution: none or batch. Default: batch.</summary>
    public string Norm { get; init; } = "batch";

    /// <summary>Normalisation of each block where they differ, one for each of Channels; null: Norm in all. Default: null.</summary>
    public IReadOnlyList<string>? Norms { get; init; }

    /// <summary>How a block halves height and width: max, average (2x2), stride (its last convolution steps by 2) or none. Default: max.</summary>
    public string Pooling { get; init; } = "max";

    /// <summary>What the head reads: flatten (every place; the picture size is then fixed), average or max over all places. Default: flatten.</summary>
    public string HeadPooling { get; init; } = "flatten";

    /// <summary>Widths of dense layers before the output. Default: [128].</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [128];

    /// <summary>Activation by name: relu, gelu, silu, tanh, leaky-relu and others of <see cref="ActivationFunctions.Names"/>. Default: relu.</summary>
    public string Activation { get; init; } = "relu";

    /// <summary>Chance of dropping a unit before each dense layer while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Chance of dropping a whole channel after each block while training, in [0, 1). Default: 0.</summary>
    public double ChannelDropout { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Channels.Count >= 1 && Channels.All(channels => channels >= 1), $"channels must hold at least one number of at least 1; it is [{string.Join(", ", Channels)}].")
        .Require(ConvolutionsPerBlock >= 1, $"convolutions_per_block must be at least 1; it is {ConvolutionsPerBlock}.")
        .Require(KernelSize >= 1 && KernelSize % 2 == 1, $"kernel_size must be odd and at least 1; it is {KernelSize}.")
        .OneOf("norm", Norm, NormNames)
        .Require(Norms is null || (Norms.Count == Channels.Count && Norms.All(NormNames.Contains)), $"norms must hold one of {string.Join(", ", NormNames)} for each of the {Channels.Count} channels; it is [{string.Join(", ", Norms ?? [])}].")
        .OneOf("pooling", Pooling, PoolingNames)
        .OneOf("head_pooling", HeadPooling, HeadPoolingNames)
        .Require(Hidden.All(width => width >= 1), $"hidden must hold widths of at least 1; it is [{string.Join(", ", Hidden)}].")
        .OneOf("activation", Activation, ActivationFunctions.Names)
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(ChannelDropout is >= 0 and < 1, $"channel_dropout must be in [0, 1); it is {ChannelDropout}.")
        .ThrowIfAny();

    /// <summary>Size of a side of <paramref name="pixels"/> after all blocks.</summary>
    internal int Side(int pixels)
    {
        foreach (var _ in Channels)
        {
            pixels = Pooling switch { "none" => pixels, "stride" => (pixels + 1) / 2, _ => pixels / 2 };
        }
        return pixels;
    }
}
