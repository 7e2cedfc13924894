namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="TextCnn"/>. Defaults are Kim's, but for the embedding size.</summary>
public sealed record TextCnnOptions
{
    /// <summary>Size of a token's vector, at least 1. Default: 128.</summary>
    public int Embedding { get; init; } = 128;

    /// <summary>Widths of the parallel convolutions in tokens, each at least 1. Default: [3, 4, 5].</summary>
    public IReadOnlyList<int> KernelSizes { get; init; } = [3, 4, 5];

    /// <summary>Channels of each convolution, at least 1. Default: 100.</summary>
    public int Filters { get; init; } = 100;

    /// <summary>Chance of dropping a feature before the head while training, in [0, 1). Default: 0.5.</summary>
    public double Dropout { get; init; } = 0.5;

    /// <summary>Chance of dropping an entry of the token vectors while training, in [0, 1). Default: 0.</summary>
    public double EmbeddingDropout { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Embedding >= 1, $"embedding must be at least 1; it is {Embedding}.")
        .Require(KernelSizes.Count >= 1 && KernelSizes.All(size => size >= 1), $"kernel_sizes must hold at least one width of at least 1; it is [{string.Join(", ", KernelSizes)}].")
        .Require(Filters >= 1, $"filters must be at least 1; it is {Filters}.")
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(EmbeddingDropout is >= 0 and < 1, $"embedding_dropout must be in [0, 1); it is {EmbeddingDropout}.")
        .ThrowIfAny();
}
