using System.Text.Json;
using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Makes texts ready for a language model: one long text in windows, or lines that are examples of their own.</summary>
internal static class LanguagePreparation
{
    /// <summary>Prepares a running text. The result does not own <paramref name="data"/>.</summary>
    public static PreparedData Prepare(Recipe recipe, TextData data)
    {
        RefusePacking(recipe);
        var options = recipe.Data;
        var texts = Splits(data.Train, data.Validation, data.Test)
            .ToDictionary(split => split.Name, split => options.Limit is { } most && most < split.Value.Length ? split.Value[..(int)most] : split.Value, StringComparer.Ordinal);
        var (unit, vocabulary) = Fit(options, [texts["train"]], boundary: false);
        var sources = texts.ToDictionary(split => split.Key, split => new LanguageModelSource(
            vocabulary.Encode(split.Value), new() { Time = options.Context, Windows = split.Key == "train" ? TextWindows.Overlapping : TextWindows.SideBySide }), StringComparer.Ordinal);
        return new()
        {
            Train = sources["train"],
            TrainExamplesPerEpoch = sources["train"].WindowsPerPass,
            Validation = sources.GetValueOrDefault("validation"),
            Test = sources.GetValueOrDefault("test"),
            Preprocessing = Encoders(recipe, unit, vocabulary, isLines: false, $"a text of {texts["train"].Length} characters, seen {options.Context} {Name(unit)} at a time"),
            Facts = DataPreparation.Facts(recipe, data.ContentHash, "characters", texts.ToDictionary(split => split.Key, split => (long)split.Value.Length, StringComparer.Ordinal), [], NoClasses),
            Describe = (split, window) => new() { Text = Window(texts[split], window, options.Context) },
        };
    }

    /// <summary>Prepares lines. The result does not own <paramref name="data"/>.</summary>
    public static PreparedData Prepare(Recipe recipe, LineData data)
    {
        var options = recipe.Data;
        var lines = Splits(data.Train, data.Validation, data.Test)
            .ToDictionary(split => split.Name, split => options.Limit is { } most && most < split.Value.Length ? split.Value[..(int)most] : split.Value, StringComparer.Ordinal);
        var (unit, vocabulary) = Fit(options, lines["train"], boundary: true);
        if (vocabulary is not CharacterVocabulary { BoundaryId: { } boundary })
        {
            throw new DataException("data.vocabulary.unit: lines are modelled by characters; set it to character.");
        }
        var sources = lines.ToDictionary(
            split => split.Key, split => new LineLanguageModelSource([.. split.Value.Select(vocabulary.Encode)], boundary, options.Context), StringComparer.Ordinal);
        return new()
        {
            // Packing changes how the training is computed, not what is measured: other splits stay a line a row.
            Train = options.Packing ? Packed(recipe, [.. lines["train"].Select(vocabulary.Encode)], boundary) : sources["train"],
            Validation = sources.GetValueOrDefault("validation"),
            Test = sources.GetValueOrDefault("test"),
            Preprocessing = Encoders(recipe, unit, vocabulary, isLines: true, $"{lines["train"].Length} lines such as '{lines["train"][0]}'"),
            Facts = DataPreparation.Facts(recipe, data.ContentHash, "lines", lines.ToDictionary(split => split.Key, split => (long)split.Value.Length, StringComparer.Ordinal), [], NoClasses),
            Describe = (split, line) => new() { Text = lines[split][line] },
        };
    }

    /// <summary>Prepares a token file. The result does not own <paramref name="data"/>.</summary>
    public static PreparedData Prepare(Recipe recipe, TokenData data)
    {
        RefusePacking(recipe);
        var options = recipe.Data;
        var splits = data.Counts.Keys.ToDictionary(split => split, data.Tokens, StringComparer.Ordinal);
        if (options.Limit is { } most)
        {
            splits = splits.ToDictionary(split => split.Key, split => split.Value.Count <= most ? split.Value : new FirstTokens(split.Value, most), StringComparer.Ordinal);
        }
        var unit = data.Vocabulary is CharacterVocabulary ? TokenUnit.Character : TokenUnit.Word;
        var sources = splits.ToDictionary(split => split.Key, split => new LanguageModelSource(
            split.Value, new() { Time = options.Context, Windows = split.Key == "train" ? TextWindows.Overlapping : TextWindows.SideBySide }), StringComparer.Ordinal);
        return new()
        {
            Train = sources["train"],
            TrainExamplesPerEpoch = sources["train"].WindowsPerPass,
            Validation = sources.GetValueOrDefault("validation"),
            Test = sources.GetValueOrDefault("test"),
            Preprocessing = Encoders(recipe, unit, data.Vocabulary, isLines: false, $"a file of {splits["train"].Count} tokens, seen {options.Context} {Name(unit)} at a time"),
            Facts = DataPreparation.Facts(recipe, data.ContentHash, "tokens", splits.ToDictionary(split => split.Key, split => split.Value.Count, StringComparer.Ordinal), [], NoClasses),
            Describe = (split, window) => new() { Text = Window(splits[split], data.Vocabulary, window, options.Context) },
        };
    }

    private static PackedLanguageModelSource Packed(Recipe recipe, int[][] lines, int boundary)
    {
        var family = ModelFamilies.Find(recipe.Model.Family);
        return family.TakesPackedRows
            ? new(lines, boundary, recipe.Data.Context)
            : throw new OptionsException("data", [$"packing is true, but the family {family.Name} takes no packed rows. Leave it out, or take one of {string.Join(", ", ModelFamilies.All.Where(other => other.TakesPackedRows).Select(other => other.Name))}."]);
    }

    private static void RefusePacking(Recipe recipe)
    {
        if (recipe.Data.Packing)
        {
            throw new OptionsException("data", ["packing is true, but a running text has no lines to pack: its rows are full already. Leave it out, or set lines to true."]);
        }
    }

    private static string Window(ITokenSequence tokens, ITextVocabulary vocabulary, long window, int context)
    {
        var start = Math.Min(tokens.Count, window * context);
        var ids = new long[Math.Min(context, tokens.Count - start)];
        tokens.Read(start, ids);
        return vocabulary.Decode([.. ids.Select(id => (int)id)]);
    }

    private sealed class FirstTokens(ITokenSequence tokens, long count) : ITokenSequence
    {
        public long Count => count;

        public void Read(long start, Span<long> destination) => tokens.Read(start, destination);
    }

    private static IReadOnlyDictionary<string, IReadOnlyList<long>> NoClasses { get; } = new Dictionary<string, IReadOnlyList<long>>();

    private static IEnumerable<(string Name, T Value)> Splits<T>(T train, T? validation, T? test) where T : class
    {
        yield return ("train", train);
        if (validation is not null)
        {
            yield return ("validation", validation);
        }
        if (test is not null)
        {
            yield return ("test", test);
        }
    }

    private static (TokenUnit Unit, ITextVocabulary Vocabulary) Fit(DataOptions options, IReadOnlyList<string> texts, bool boundary)
        => (options.Vocabulary.Unit ?? TokenUnit.Character) == TokenUnit.Character
            ? (TokenUnit.Character, CharacterVocabulary.Fit(texts, boundary))
            : (TokenUnit.Word, WordVocabulary.Fit(texts, new() { LowerCase = options.Vocabulary.Lowercase, MinFrequency = options.Vocabulary.MinimumCount, MaxSize = options.Vocabulary.MaxSize }));

    private static Preprocessing Encoders(Recipe recipe, TokenUnit unit, ITextVocabulary vocabulary, bool isLines, string trainedOn) => new()
    {
        TrainedOn = trainedOn,
        Text = new() { Unit = unit, Vocabulary = JsonDocument.Parse(vocabulary.ToJson()).RootElement.Clone(), MaxLength = recipe.Data.Context, IsLines = isLines },
        Model = new() { Task = recipe.Task, Outputs = vocabulary.Size, Vocabulary = vocabulary.Size, ContextLength = recipe.Data.Context },
    };

    private static string Name(TokenUnit unit) => unit == TokenUnit.Character ? "characters" : "words";

    private static string Window(string text, long window, int context)
    {
        var start = (int)Math.Min(text.Length, window * context);
        return text[start..Math.Min(text.Length, start + context)];
    }
}
