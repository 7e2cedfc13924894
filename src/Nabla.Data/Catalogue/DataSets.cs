using Nabla.Core;

namespace Nabla.Data;

/// <summary>Loads catalogued data sets into memory. Every file is checked against its SHA-256 first; the generated set is drawn with its default options.</summary>
public static class DataSets
{
    private static readonly string[] AdultColumns =
    [
        "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race", "sex",
        "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
    ];

    private static readonly string[] GermanColumns =
    [
        "checking_account", "duration_months", "credit_history", "purpose", "credit_amount", "savings", "employment_since", "installment_rate",
        "personal_status_and_sex", "other_debtors", "residence_since", "property", "age", "other_installment_plans", "housing",
        "existing_credits", "job", "people_liable", "telephone", "foreign_worker", "credit",
    ];

    private static readonly string[] WineColumns =
    [
        "fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar", "chlorides", "free_sulfur_dioxide", "total_sulfur_dioxide",
        "density", "ph", "sulphates", "alcohol", "quality",
    ];

    private static readonly string[] IrisColumns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"];

    /// <summary>Loads a data set in the publisher's splits. tinyshakespeare, which has none, comes with its last tenth as validation.</summary>
    /// <param name="name">Its name in the <see cref="Catalogue"/>.</param>
    /// <param name="folder">The data folder; null for <see cref="DataFolder.Resolve()"/>.</param>
    /// <returns>The data: <see cref="ImageData"/>, <see cref="TextClassificationData"/>, <see cref="TextData"/>, <see cref="LineData"/> or <see cref="TabularData"/>; the caller disposes it.</returns>
    /// <exception cref="DataException">The name is not known, or a file is missing or is not the catalogued one.</exception>
    public static LoadedData Load(string name, string? folder = null)
    {
        var entry = Catalogue.Find(name);
        if (entry.IsGenerated)
        {
            return Shapes();
        }
        var files = DataFolder.Verify(entry, folder);
        return name switch
        {
            "fashion-mnist" => FashionMnist(entry, files),
            "tinyshakespeare" => new TextData { Name = name, Task = entry.Task, ContentHash = entry.ContentHash(), Train = PlainText.Read(files["input.txt"]) }.HoldOut(new() { Validation = 0.1 }),
            "names" => new LineData { Name = name, Task = entry.Task, ContentHash = entry.ContentHash(), Train = PlainText.ReadLines(files["names.txt"], skipBlank: true) },
            "sst2" => Sst2(entry, files),
            "california-housing" => Tabular(entry, TableFile.Read(files["housing.csv.gz"])),
            "wine-quality" => Tabular(entry, Wine(files["winequality-red.csv"], "red").Append(Wine(files["winequality-white.csv"], "white"), "wine-quality")),
            "iris" => Tabular(entry, TableFile.Read(files["iris.csv"], Headerless(IrisColumns))),
            "adult" => Tabular(entry, Adult(files["adult-train.csv.gz"]), Adult(files["adult-test.csv.gz"])),
            "german-credit" => Tabular(entry, GermanCredit(files["german.csv"])),
            _ => throw new DataException($"Data set '{name}' is catalogued, but this version cannot load it."),
        };
    }

    /// <summary>Loads a data set in the background; see <see cref="Load"/>.</summary>
    /// <param name="name">Its name in the <see cref="Catalogue"/>.</param>
    /// <param name="folder">The data folder; null for <see cref="DataFolder.Resolve()"/>.</param>
    /// <param name="cancellationToken">Gives up before the work starts.</param>
    /// <exception cref="DataException">The name is not known, or a file is missing or is not the catalogued one.</exception>
    public static Task<LoadedData> LoadAsync(string name, string? folder = null, CancellationToken cancellationToken = default)
        => Task.Run(() => Load(name, folder), cancellationToken);

    /// <summary>Draws the generated set <c>shapes</c>.</summary>
    /// <param name="options">Size and seed; null for the defaults.</param>
    /// <returns>Pictures <c>[examples, channels=3, height, width]</c> in a train and a test split; the caller disposes them.</returns>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    public static ImageData Shapes(ShapesOptions? options = null)
    {
        ShapesGenerator generator = new(options ?? new());
        var entry = Catalogue.Find("shapes");
        ImageSplit Draw(ShapesSplit split)
        {
            var (pixels, classes) = generator.Generate(split);
            var images = tensor(pixels, [classes.Length, ShapesGenerator.Channels, generator.Options.Size, generator.Options.Size]);
            images.DetachFromDisposeScope(); // the data owns its pictures
            return new(images, classes);
        }
        return new()
        {
            Name = entry.Name,
            Task = entry.Task,
            ContentHash = CatalogueEntry.HashOf([$"generated  {entry.Name}  {generator.Options}"]),
            Classes = ShapesGenerator.ClassNames,
            Train = Draw(ShapesSplit.Train),
            Test = Draw(ShapesSplit.Test),
        };
    }

    private static ImageData FashionMnist(CatalogueEntry entry, IReadOnlyDictionary<string, string> files)
    {
        var (train, trainLabels) = IdxFile.ReadImages(files["train-images-idx3-ubyte.gz"], files["train-labels-idx1-ubyte.gz"], entry.Classes!.Count);
        var (test, testLabels) = IdxFile.ReadImages(files["t10k-images-idx3-ubyte.gz"], files["t10k-labels-idx1-ubyte.gz"], entry.Classes.Count);
        train.DetachFromDisposeScope();
        test.DetachFromDisposeScope();
        return new()
        {
            Name = entry.Name,
            Task = entry.Task,
            ContentHash = entry.ContentHash(),
            Classes = entry.Classes,
            Train = new(train, trainLabels),
            Test = new(test, testLabels),
        };
    }

    private static TextClassificationData Sst2(CatalogueEntry entry, IReadOnlyDictionary<string, string> files)
    {
        TextSplit Part(string file) => TextClassificationData.ReadWithClasses(files[file], "sentence", "label", ["0", "1"], new() { Format = "tsv", Quoted = false });
        return new()
        {
            Name = entry.Name,
            Task = entry.Task,
            ContentHash = entry.ContentHash(),
            Classes = entry.Classes!,
            Train = Part("train.tsv.gz"),
            Validation = Part("dev.tsv.gz"),
            Test = Part("test.tsv.gz"),
        };
    }

    private static TabularData Tabular(CatalogueEntry entry, Table train, Table? test = null) => new()
    {
        Name = entry.Name,
        Task = entry.Task,
        ContentHash = entry.ContentHash(),
        Target = entry.Target!,
        Classes = entry.Classes,
        Train = train,
        Test = test,
    };

    private static TableFileOptions Headerless(IReadOnlyList<string> columns) => new() { HasHeader = false, ColumnNames = columns };

    private static Table Wine(string path, string colour)
    {
        var table = TableFile.Read(path, Headerless(WineColumns));
        return table.With(new CategoryColumn("colour", [.. Enumerable.Repeat(colour, table.Rows)]));
    }

    private static Table Adult(string path)
    {
        var table = TableFile.Read(path, Headerless(AdultColumns));
        var labels = (CategoryColumn)table["income"];
        return table.With(new CategoryColumn("income", [.. labels.Values.Select(label => label?.TrimEnd('.'))]));
    }

    private static Table GermanCredit(string path)
    {
        var table = TableFile.Read(path, Headerless(GermanColumns) with { Kinds = new Dictionary<string, ColumnKind> { ["credit"] = ColumnKind.Category } });
        var codes = (CategoryColumn)table["credit"];
        return table.With(new CategoryColumn("credit", [.. codes.Values.Select(code => code switch { "1" => "good", "2" => "bad", _ => code })]));
    }
}
