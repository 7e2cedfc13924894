namespace Nabla.Data;

/// <summary>One line of <c>nabla data list</c>.</summary>
/// <param name="Name">Name as written in a recipe.</param>
/// <param name="Title">A readable title.</param>
/// <param name="Task">What it is for.</param>
/// <param name="Licence">The licence, as the source states it.</param>
/// <param name="IsPresent">Whether its files are in the data folder, or it needs none.</param>
/// <param name="Bytes">Size of the files that a pull fetches.</param>
public sealed record DataSetRow(string Name, string Title, string Task, string Licence, bool IsPresent, long Bytes)
{
    /// <summary>The rows of all catalogued sets.</summary>
    /// <param name="folder">The data folder; null for <see cref="DataFolder.Resolve()"/>.</param>
    public static IReadOnlyList<DataSetRow> List(string? folder = null) => [.. Catalogue.All.Select(entry =>
        new DataSetRow(entry.Name, entry.Title, entry.Task, entry.Licence, DataFolder.Holds(entry, folder), entry.Files.Sum(file => file.Published.Size)))];
}

/// <summary>One split of a data set.</summary>
/// <param name="Name">train, validation or test.</param>
/// <param name="Count">Number of examples.</param>
/// <param name="Labels">Examples of each class, in the order of the classes; null when there are no classes.</param>
/// <param name="Target">Statistics of the target, for regression; else null.</param>
public sealed record SplitInfo(string Name, long Count, IReadOnlyDictionary<string, long>? Labels, TargetInfo? Target);

/// <summary>Statistics of a number to be predicted.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="StandardDeviation">Standard deviation of the population.</param>
/// <param name="Minimum">Smallest value.</param>
/// <param name="Maximum">Largest value.</param>
public sealed record TargetInfo(double Mean, double StandardDeviation, double Minimum, double Maximum);

/// <summary>One column of a table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Missing">Training rows without a value.</param>
/// <param name="Distinct">Different values in the training rows.</param>
public sealed record ColumnInfo(string Name, ColumnKind Kind, int Missing, int Distinct);

/// <summary>What <c>nabla data info</c> shows of a data set. It serialises to JSON.</summary>
public sealed record DataSetInfo
{
    /// <summary>Name as written in a recipe, or of the user's file.</summary>
    public required string Name { get; init; }

    /// <summary>A readable title.</summary>
    public required string Title { get; init; }

    /// <summary>What it is for.</summary>
    public required string Task { get; init; }

    /// <summary>The licence, as the source states it; null for a user's file.</summary>
    public string? Licence { get; init; }

    /// <summary>Whether the data was there to be looked at; without it, splits, columns and samples are empty.</summary>
    public required bool IsPresent { get; init; }

    /// <summary>Hash of the content.</summary>
    public required string ContentHash { get; init; }

    /// <summary>What a person must know before using it; null for a user's file.</summary>
    public DataCard? Card { get; init; }

    /// <summary>The files; empty for a generated set and a user's file.</summary>
    public IReadOnlyList<CatalogueFile> Files { get; init; } = [];

    /// <summary>The splits, with counts.</summary>
    public IReadOnlyList<SplitInfo> Splits { get; init; } = [];

    /// <summary>The columns of a table; else empty.</summary>
    public IReadOnlyList<ColumnInfo> Columns { get; init; } = [];

    /// <summary>What is counted: pictures, texts, rows, lines or characters; empty without the data.</summary>
    public string Unit { get; init; } = "";

    /// <summary>A few training examples, as text; a picture is described.</summary>
    public IReadOnlyList<string> Samples { get; init; } = [];

    /// <summary>The first training picture of each class, of ten at most; empty where the data has no pictures.</summary>
    public IReadOnlyList<PictureSample> Pictures { get; init; } = [];

    /// <summary>Describes a catalogued set; its files are loaded and checked when they are there.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="folder">The data folder; null for <see cref="DataFolder.Resolve()"/>.</param>
    /// <exception cref="Core.DataException">The name is not known, or a file is not the catalogued one.</exception>
    public static DataSetInfo Of(string name, string? folder = null)
    {
        var entry = Catalogue.Find(name);
        var isPresent = DataFolder.Holds(entry, folder);
        DataSetInfo? looked = null;
        if (isPresent)
        {
            using var data = DataSets.Load(name, folder);
            looked = Of(data);
        }
        return new()
        {
            Name = entry.Name,
            Title = entry.Title,
            Task = entry.Task,
            Licence = entry.Licence,
            IsPresent = isPresent,
            ContentHash = entry.ContentHash(),
            Card = entry.Card,
            Files = entry.Files,
            Splits = looked?.Splits ?? [],
            Columns = looked?.Columns ?? [],
            Unit = looked?.Unit ?? "",
            Samples = looked?.Samples ?? [],
            Pictures = looked?.Pictures ?? [],
        };
    }

    /// <summary>Describes data that is loaded, such as a user's file.</summary>
    /// <param name="data">The data.</param>
    public static DataSetInfo Of(LoadedData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var pictures = data is ImageData images ? PictureSample.OfEachClass(images) : [];
        return new()
        {
            Name = data.Name,
            Title = data.Name,
            Task = data.Task,
            IsPresent = true,
            ContentHash = data.ContentHash,
            Splits = [.. data.Counts.Select(split => new SplitInfo(split.Key, split.Value, LabelsOf(data, split.Key), TargetOf(data, split.Key)))],
            Columns = data is not TabularData table ? [] : [.. table.Train.Columns.Select(column => new ColumnInfo(
                column.Name, column.Kind, column.MissingCount, Enumerable.Range(0, column.Count).Select(column.Text).OfType<string>().Distinct(StringComparer.Ordinal).Count()))],
            Unit = data switch { ImageData => "pictures", TextClassificationData => "texts", TabularData => "rows", LineData => "lines", TextData => "characters", _ => "examples" },
            Samples = pictures.Count > 0 ? [.. pictures.Select(picture => picture.ToString())] : SamplesOf(data),
            Pictures = pictures,
        };
    }

    private static Dictionary<string, long>? LabelsOf(LoadedData data, string split) => data switch
    {
        ImageData images => Count(images.Classes, (split switch { "train" => images.Train, "validation" => images.Validation, _ => images.Test })!.Labels.Select(label => images.Classes[(int)label])),
        TextClassificationData texts => Count(texts.Classes, (split switch { "train" => texts.Train, "validation" => texts.Validation, _ => texts.Test })!.Labels.Select(label => texts.Classes[(int)label])),
        TabularData { IsClassification: true } table => Count(table.Classes ?? [], LabelTexts(table, split)),
        _ => null,
    };

    private static IEnumerable<string> LabelTexts(TabularData table, string split)
    {
        var column = TableOf(table, split)[table.Target];
        return Enumerable.Range(0, column.Count).Select(row => column.Text(row) ?? "(missing)");
    }

    private static Dictionary<string, long> Count(IReadOnlyList<string> classes, IEnumerable<string> labels)
    {
        var counts = labels.CountBy(label => label, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var order = classes.Count > 0 ? classes.Concat(counts.Keys.Except(classes).Order(StringComparer.Ordinal)) : TargetEncoding.SortClasses([.. counts.Keys]);
        return order.ToDictionary(label => label, label => (long)counts.GetValueOrDefault(label), StringComparer.Ordinal);
    }

    private static TargetInfo? TargetOf(LoadedData data, string split)
    {
        if (data is not TabularData { IsClassification: false } table || TableOf(table, split)[table.Target] is not NumberColumn column)
        {
            return null;
        }
        var values = column.Values.Where(value => !double.IsNaN(value)).ToArray();
        if (values.Length == 0)
        {
            return null;
        }
        var mean = NumberEncoding.Mean(values);
        return new(mean, Math.Sqrt(NumberEncoding.Mean([.. values.Select(value => (value - mean) * (value - mean))])), values.Min(), values.Max());
    }

    private static Table TableOf(TabularData table, string split) => (split switch { "train" => table.Train, "validation" => table.Validation, _ => table.Test })!;

    private static string[] SamplesOf(LoadedData data)
    {
        const int few = 5;
        return data switch
        {
            TextClassificationData texts => [.. texts.Train.Texts.Take(few).Select((text, i) => $"{texts.Classes[(int)texts.Train.Labels[i]]}: {text}")],
            TextData text => [text.Train[..Math.Min(text.Train.Length, 300)]],
            LineData lines => [.. lines.Train.Take(few)],
            TabularData table => [.. Enumerable.Range(0, Math.Min(few, table.Train.Rows)).Select(row => string.Join(", ", table.Train.Columns.Select(column => $"{column.Name}={column.Text(row) ?? "?"}")))],
            _ => [],
        };
    }
}
