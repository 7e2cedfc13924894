using System.Globalization;
using System.Text.Json;
using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Makes tables ready: encoder fitted on the training rows, each split as tensors.</summary>
internal static class TablePreparation
{
    /// <summary>Prepares a table's splits. The result does not own <paramref name="data"/>.</summary>
    public static PreparedData Prepare(Recipe recipe, TabularData data)
    {
        var options = recipe.Data;
        var train = Shape(options, data.Train, data.Target);
        var encoder = TableEncoder.Fit(train, EncoderOptions(options, data));
        var tables = new Dictionary<string, Table>(StringComparer.Ordinal) { ["train"] = train };
        foreach (var (split, table) in new[] { ("validation", data.Validation), ("test", data.Test) })
        {
            if (table is not null)
            {
                tables[split] = Shape(options, table, data.Target);
            }
        }
        var encoded = tables.ToDictionary(split => split.Key, split => encoder.Encode(split.Value), StringComparer.Ordinal);
        var sources = encoded.ToDictionary(split => split.Key, split => new TensorSource(split.Value.ToFields()), StringComparer.Ordinal);
        var counts = tables.ToDictionary(split => split.Key, split => (long)split.Value.Rows, StringComparer.Ordinal);
        var classCounts = DataPreparation.CountClasses(encoder.Classes.Count, encoded.Select(split => (split.Key, split.Value.Classes)));
        var facts = DataPreparation.Facts(recipe, data.ContentHash, "rows", counts, encoder.Classes, classCounts);
        return new PreparedData
        {
            Train = sources["train"],
            Validation = sources.GetValueOrDefault("validation"),
            Test = sources.GetValueOrDefault("test"),
            Preprocessing = new()
            {
                TrainedOn = $"rows with the columns {string.Join(", ", encoder.InputColumns)} (to predict {encoder.Target})",
                Classes = encoder.Classes,
                Table = JsonDocument.Parse(encoder.ToJson()).RootElement.Clone(),
                Model = new()
                {
                    Task = recipe.Task,
                    Outputs = encoder.IsClassification ? encoder.Classes.Count : 1,
                    Features = encoded["train"].Features,
                    CategorySizes = [.. encoder.CategorySizes.Select(size => (int)size)],
                    FeatureEdges = recipe.Model.Options is MlpOptions { NumericEmbedding: "piecewise-linear" } mlp ? Edges(encoded["train"], mlp.Bins) : null,
                },
            },
            Facts = facts with { Warnings = [.. facts.Warnings, .. MissingNumbers(options, train, data.Target)] },
            Describe = (split, row) => new() { Row = Row(tables[split], (int)row), Source = tables[split].Place((int)row) },
        }.Own([.. sources.Values]);
    }

    /// <summary>The columns and values of a row as text.</summary>
    public static IReadOnlyList<ReportFact> Row(Table table, int row) => [.. table.Columns.Select(column => new ReportFact(column.Name, column.Text(row) ?? "missing"))];

    /// <summary>A function from scaled targets or predictions <c>[batch]</c> to the target's own unit; null when they are in it already.</summary>
    public static Func<Tensor, Tensor>? Decoder(TableEncoder encoder)
    {
        if (encoder.IsClassification)
        {
            return null;
        }
        if (encoder.TargetScale is { } scale)
        {
            var center = encoder.DecodeTarget(0);
            return (scale, center) == (1, 0) ? null : scaled => scaled.to_type(ScalarType.Float64).mul(Number.Of(scale)).add(Number.Of(center));
        }
        var (low, high) = (Math.Log(1 + encoder.DecodeTarget(0)), Math.Log(1 + encoder.DecodeTarget(1)));
        return scaled => scaled.to_type(ScalarType.Float64).mul(Number.Of(high - low)).add(Number.Of(low)).expm1();
    }

    /// <summary>The table with the columns that the recipe uses, as the kinds it wants.</summary>
    private static Table Shape(DataOptions options, Table table, string target)
    {
        foreach (var name in options.CategoryColumns)
        {
            if (table[name] is NumberColumn numbers)
            {
                table = table.With(numbers.ToCategories());
            }
        }
        foreach (var name in options.IgnoreColumns.Concat(options.Columns ?? []))
        {
            _ = table[name]; // named in an error when it is not there
        }
        var unused = table.Names.Where(name => name != target && (options.IgnoreColumns.Contains(name) || (options.Columns is { } used && !used.Contains(name))));
        table = table.Without([.. unused]);
        return options.Limit is { } limit && limit < table.Rows ? table.Select(DataPreparation.First(table.Rows, limit)) : table;
    }

    /// <summary>Says which columns have gaps that are filled; NaN in a file is one.</summary>
    private static IEnumerable<string> MissingNumbers(DataOptions options, Table train, string target)
    {
        string[] gaps = [.. train.Columns.OfType<NumberColumn>().Where(column => column.Name != target && column.MissingCount > 0)
            .Select(column => string.Create(CultureInfo.InvariantCulture, $"'{column.Name}' ({column.MissingCount:N0})"))];
        if (gaps.Length > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Of {train.Rows:N0} training rows some have no number (or NaN) in {string.Join(", ", gaps)}; filled by data.filling: {KebabCase(options.Filling)}.");
        }
    }

    private static TableEncoderOptions EncoderOptions(DataOptions options, TabularData data) => data.EncoderOptions with
    {
        Scaler = KebabCase(options.Scaling),
        LogColumns = options.LogColumns,
        Imputation = KebabCase(options.Filling),
        MissingIndicator = options.MissingIndicator,
        MinCategoryCount = options.MinimumCategoryCount,
        TargetScaling = KebabCase(options.TargetScaling),
    };

    private static string KebabCase<T>(T value) where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    /// <summary>Ascending bin edges of each feature at even quantiles of the training rows (Gorishniy et al., 2022, section 3.2).</summary>
    private static IReadOnlyList<double>[] Edges(EncodedTable table, int bins)
    {
        var edges = new IReadOnlyList<double>[table.Features];
        for (var feature = 0; feature < table.Features; feature++)
        {
            var values = new double[table.Rows];
            for (var row = 0; row < table.Rows; row++)
            {
                values[row] = table.Numbers[(row * table.Features) + feature];
            }
            Array.Sort(values);
            var distinct = Enumerable.Range(0, bins + 1).Select(i => values[(int)Math.Round((double)i / bins * (values.Length - 1))]).Distinct().ToArray();
            edges[feature] = distinct.Length >= 2 ? distinct : [distinct[0], distinct[0] + 1];
        }
        return edges;
    }
}
