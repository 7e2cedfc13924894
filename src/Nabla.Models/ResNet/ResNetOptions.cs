namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="ResNet"/>.</summary>
public sealed record ResNetOptions
{
    internal static readonly IReadOnlyList<string> Stems = ["auto", "small", "standard"];

    /// <summary>Blocks of each of the four stages by depth. Depth 10 has one block each, for small data.</summary>
    internal static readonly IReadOnlyDictionary<int, int[]> Depths = new SortedDictionary<int, int[]>
    {
        [10] = [1, 1, 1, 1],
        [18] = [2, 2, 2, 2],
        [34] = [3, 4, 6, 3],
        [50] = [3, 4, 6, 3],
        [101] = [3, 4, 23, 3],
        [152] = [3, 8, 36, 3],
    };

    /// <summary>Weighted layers: 10, 18, 34 (basic blocks), 50, 101, 152 (bottleneck blocks). Default: 18.</summary>
    public int Depth { get; init; } = 18;

    /// <summary>Channels of the first stage; each further stage has twice as many. At least 1. Default: 64.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Stages to build, 1 to 4; fewer suit small pictures. Default: 4.</summary>
    public int Stages { get; init; } = 4;

    /// <summary>Entry: standard (7x7, stride 2, then max pooling), small (3x3, stride 1) or auto (small up to 64 pixels). Default: auto.</summary>
    public string Stem { get; init; } = "auto";

    /// <summary>Chance of dropping a feature before the head while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the last norm of each block starts at 0, so that each block starts as the identity (Goyal et al., 2017, arXiv:1706.02677). Default: true.</summary>
    public bool ZeroInitialResidual { get; init; } = true;

    /// <summary>Whether the blocks' activations are computed again in the backward pass instead of being kept: about a third more time, much less memory, same bits (Chen et al., 2016, arXiv:1604.06174). Default: false.</summary>
    public bool Recompute { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Depths.ContainsKey(Depth), $"depth must be one of {string.Join(", ", Depths.Keys)}; it is {Depth}.")
        .Require(Width >= 1, $"width must be at least 1; it is {Width}.")
        .Require(Stages is >= 1 and <= 4, $"stages must be 1 to 4; it is {Stages}.")
        .OneOf("stem", Stem, Stems)
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .ThrowIfAny();
}
