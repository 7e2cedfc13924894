using System.Text.Json;
using Nabla.Data;

namespace Nabla;

/// <summary>Makes labelled texts ready: vocabulary fitted on the training texts, each split as token ids.</summary>
internal static class TextPreparation
{
    /// <summary>Prepares the splits of labelled texts. The result does not own <paramref name="data"/>.</summary>
    public static PreparedData Prepare(Recipe recipe, TextClassificationData data)
    {
        var options = recipe.Data;
        var splits = new Dictionary<string, TextSplit>(StringComparer.Ordinal) { ["train"] = First(data.Train, options.Limit) };
        foreach (var (name, split) in new[] { ("validation", data.Validation), ("test", data.Test) })
        {
            if (split is not null)
            {
                splits[name] = First(split, options.Limit);
            }
        }
        var unit = options.Vocabulary.Unit ?? TokenUnit.Word;
        ITextVocabulary vocabulary = unit == TokenUnit.Word
            ? WordVocabulary.Fit(splits["train"].Texts, new() { LowerCase = options.Vocabulary.Lowercase, MinFrequency = options.Vocabulary.MinimumCount, MaxSize = options.Vocabulary.MaxSize })
            : CharacterVocabulary.Fit(splits["train"].Texts, boundary: true);
        var sources = splits.ToDictionary(
            split => split.Key, split => Source(vocabulary, split.Value.Texts, split.Value.Labels, options.MaxLength), StringComparer.Ordinal);
        var classCounts = DataPreparation.CountClasses(data.Classes.Count, splits.Select(split => (split.Key, (long[]?)split.Value.Labels)));
        return new()
        {
            Train = sources["train"],
            Validation = sources.GetValueOrDefault("validation"),
            Test = sources.GetValueOrDefault("test"),
            Preprocessing = new()
            {
                TrainedOn = $"texts of up to {options.MaxLength} {(unit == TokenUnit.Word ? "words" : "characters")}",
                Classes = data.Classes,
                Text = new() { Unit = unit, Vocabulary = JsonDocument.Parse(vocabulary.ToJson()).RootElement.Clone(), MaxLength = options.MaxLength },
                Model = new() { Task = recipe.Task, Outputs = data.Classes.Count, Vocabulary = vocabulary.Size, ContextLength = options.MaxLength },
            },
            Facts = DataPreparation.Facts(recipe, data.ContentHash, "texts", splits.ToDictionary(split => split.Key, split => (long)split.Value.Texts.Length, StringComparer.Ordinal), data.Classes, classCounts),
            Describe = (split, index) => new() { Text = splits[split].Texts[index] },
        };
    }

    /// <summary>Texts as a source; characters that training never saw are an error that names them.</summary>
    public static TextSource Source(ITextVocabulary vocabulary, IReadOnlyList<string> texts, long[]? labels, int maxLength)
        => new([.. texts.Select(vocabulary.Encode)], labels, new() { MaxLength = maxLength });

    private static TextSplit First(TextSplit split, long? limit) => limit is { } most && most < split.Texts.Length
        ? new(split.Texts[..(int)most], split.Labels[..(int)most])
        : split;
}
