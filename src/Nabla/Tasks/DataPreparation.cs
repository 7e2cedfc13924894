using System.Globalization;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Makes the data of a recipe ready: loads it, divides it, fits the encoders on the training split, and encodes every split.</summary>
internal static class DataPreparation
{
    /// <summary>A class with fewer training examples than this is named in a warning.</summary>
    private const int FewExamples = 10;

    /// <summary>Prepares the data of a recipe. The caller owns the result.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    public static PreparedData Prepare(Recipe recipe, string folder)
    {
        if (recipe is { Task: ModelTasks.ImageClassification, Data.Path: not null })
        {
            return ImageFolderPreparation.Prepare(recipe, folder);
        }
        var loaded = RawData.Load(recipe, folder);
        try
        {
            return loaded switch
            {
                ImageData images => ImagePreparation.Prepare(recipe, images),
                TabularData table => TablePreparation.Prepare(recipe, table).Own(loaded),
                TextClassificationData texts => TextPreparation.Prepare(recipe, texts).Own(loaded),
                TextData text => LanguagePreparation.Prepare(recipe, text).Own(loaded),
                TokenData tokens => LanguagePreparation.Prepare(recipe, tokens).Own(loaded),
                LineData lines => LanguagePreparation.Prepare(recipe, lines).Own(loaded),
                _ => throw new Core.DataException($"Data of kind {loaded.GetType().Name} cannot be trained on."),
            };
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Facts of the data, from the catalogue where it is known there.</summary>
    public static DataFacts Facts(Recipe recipe, string contentHash, string unit, IReadOnlyDictionary<string, long> counts, IReadOnlyList<string> classes, IReadOnlyDictionary<string, IReadOnlyList<long>> classCounts)
    {
        var entry = recipe.Data.Dataset is { } name ? Catalogue.Find(name) : null;
        return new()
        {
            Name = recipe.Data.Dataset ?? recipe.Data.Path!,
            ContentHash = contentHash,
            Licence = entry?.Licence ?? "",
            Source = entry?.Card.Source ?? recipe.Data.Path ?? "",
            Card = entry?.Card.ToText() ?? "",
            Unit = unit,
            Counts = counts,
            ClassCounts = classCounts,
            Warnings = [.. RareClasses(classes, classCounts)],
        };
    }

    /// <summary>How many examples each class has in each split.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<long>> CountClasses(int classes, params IEnumerable<(string Split, long[]? Labels)> splits)
    {
        Dictionary<string, IReadOnlyList<long>> counts = new(StringComparer.Ordinal);
        foreach (var (split, labels) in splits)
        {
            if (labels is not null)
            {
                var count = new long[classes];
                foreach (var label in labels)
                {
                    count[label]++;
                }
                counts[split] = count;
            }
        }
        return counts;
    }

    /// <summary>The first so many numbers of a list, all when there is no limit.</summary>
    public static long[] First(long count, long? limit)
    {
        var indices = new long[Math.Min(count, limit ?? count)];
        for (var i = 0L; i < indices.Length; i++)
        {
            indices[i] = i;
        }
        return indices;
    }

    private static IEnumerable<string> RareClasses(IReadOnlyList<string> classes, IReadOnlyDictionary<string, IReadOnlyList<long>> counts)
    {
        if (!counts.TryGetValue("train", out var train))
        {
            yield break;
        }
        for (var i = 0; i < train.Count; i++)
        {
            if (train[i] < FewExamples)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"Class '{classes[i]}' has {train[i]} training example{(train[i] == 1 ? "" : "s")}; what the model says of it means little. Collect more, or leave the class out.");
            }
        }
    }
}
