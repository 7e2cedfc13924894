using Nabla.Core;

namespace Nabla.Data;

/// <summary>How a <see cref="TextSource"/> cuts and fills texts.</summary>
public sealed record TextSourceOptions
{
    /// <summary>Most tokens of a text, at least 1; the rest is cut off at the end. Default: 256.</summary>
    public int MaxLength { get; init; } = 256;

    /// <summary>Id that fills up short texts. Default: <see cref="WordVocabulary.PaddingId"/>.</summary>
    public int PaddingId { get; init; } = WordVocabulary.PaddingId;

    /// <summary>Id that an empty text consists of, since a model needs at least one token. Default: <see cref="WordVocabulary.UnknownId"/>.</summary>
    public int EmptyId { get; init; } = WordVocabulary.UnknownId;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(MaxLength >= 1, $"MaxLength must be at least 1; it is {MaxLength}.")
        .Require(PaddingId >= 0, $"PaddingId must be at least 0; it is {PaddingId}.")
        .Require(EmptyId >= 0, $"EmptyId must be at least 0; it is {EmptyId}.")
        .ThrowIfAny();
}
