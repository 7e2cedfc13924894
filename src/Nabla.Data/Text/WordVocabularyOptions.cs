using Nabla.Core;

namespace Nabla.Data;

/// <summary>Which words a <see cref="WordVocabulary"/> keeps.</summary>
public sealed record WordVocabularyOptions
{
    /// <summary>Whether words are compared in lower case. Default: true.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>How often a word must occur to be kept, at least 1. Default: 1.</summary>
    public int MinFrequency { get; init; } = 1;

    /// <summary>Most ids, the two special ones included, at least 3; the most frequent words are kept. Default: 30000.</summary>
    public int MaxSize { get; init; } = 30_000;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(MinFrequency >= 1, $"MinFrequency must be at least 1; it is {MinFrequency}.")
        .Require(MaxSize >= 3, $"MaxSize must be at least 3 (padding, unknown and one word); it is {MaxSize}.")
        .ThrowIfAny();
}
