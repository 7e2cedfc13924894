using System.Text.Json;
using System.Text.Json.Serialization;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Reads vocabularies of any kind from JSON.</summary>
public static class TextVocabulary
{
    internal const int Version = 1;
    internal const string CharacterKind = "character", WordKind = "word";

    /// <summary>The vocabulary that <see cref="ITextVocabulary.ToJson"/> wrote.</summary>
    /// <param name="json">The text of the JSON document.</param>
    /// <exception cref="DataException">The document is no vocabulary, is damaged, or was written by a newer version.</exception>
    public static ITextVocabulary FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        TextVocabularyDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(json, TextVocabularyJson.Default.TextVocabularyDocument);
        }
        catch (JsonException exception)
        {
            throw new DataException($"Vocabulary: expected a JSON document, but it cannot be read: {exception.Message} Train again, or restore the file.", exception);
        }
        if (document?.Version > Version)
        {
            throw new DataException($"Vocabulary: expected format version {Version} or older, got {document.Version}. Use a newer Nabla.");
        }
        if (document?.Tokens is not { Length: > 0 } tokens || tokens.Any(string.IsNullOrEmpty) || tokens.Distinct(StringComparer.Ordinal).Count() != tokens.Length)
        {
            throw new DataException("Vocabulary: expected a list of distinct tokens, got none, an empty one or one twice. The file is damaged.");
        }
        return document.Kind switch
        {
            CharacterKind => new CharacterVocabulary(tokens, document.Boundary),
            WordKind => new WordVocabulary(tokens, document.LowerCase),
            _ => throw new DataException($"Vocabulary: kind '{document.Kind}' is not known. {NearestName.Suggest(document.Kind ?? "", [CharacterKind, WordKind])}"),
        };
    }

    internal static string ToJson(TextVocabularyDocument document) => JsonSerializer.Serialize(document, TextVocabularyJson.Default.TextVocabularyDocument);
}

/// <summary>How a vocabulary lies in a file.</summary>
internal sealed record TextVocabularyDocument
{
    public string? Kind { get; init; }

    public int Version { get; init; } = TextVocabulary.Version;

    public bool Boundary { get; init; }

    public bool LowerCase { get; init; }

    public string[]? Tokens { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TextVocabularyDocument))]
internal sealed partial class TextVocabularyJson : JsonSerializerContext;
