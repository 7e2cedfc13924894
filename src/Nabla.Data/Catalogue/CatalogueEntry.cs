using System.Security.Cryptography;
using System.Text;

namespace Nabla.Data;

/// <summary>A data set that Nabla knows by name.</summary>
public sealed record CatalogueEntry
{
    /// <summary>Name as written in a recipe, and of the set's folder.</summary>
    public required string Name { get; init; }

    /// <summary>A readable title.</summary>
    public required string Title { get; init; }

    /// <summary>What it is for, in the words of a recipe's <c>task</c>: one of <see cref="DataTask"/>.</summary>
    public required string Task { get; init; }

    /// <summary>The licence, as the source states it.</summary>
    public required string Licence { get; init; }

    /// <summary>What a person must know before using it.</summary>
    public required DataCard Card { get; init; }

    /// <summary>The files; empty when the set is generated.</summary>
    public IReadOnlyList<CatalogueFile> Files { get; init; } = [];

    /// <summary>The publisher's splits: train, and validation and test where they exist.</summary>
    public required IReadOnlyList<string> Splits { get; init; }

    /// <summary>Whether the set is made by a generator from a seed, without files.</summary>
    public bool IsGenerated { get; init; }

    /// <summary>The column to be predicted, for tables.</summary>
    public string? Target { get; init; }

    /// <summary>The classes by id, or null when there are none or they stand in the data.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>
    /// One hash for the whole content, <c>sha256:</c> and 64 hexadecimal digits: SHA-256 over the lines <c>hash  name</c> of the data files
    /// in the publisher's form, ordered by name. Equal for the plain and the gzip form of the same data. It says what the files must be;
    /// loading checks that they are. For a generated set it is over its name and the generator's default options.
    /// </summary>
    public string ContentHash() => HashOf(IsGenerated
        ? [$"generated  {Name}  {new ShapesOptions()}"]
        : Files.Where(file => !file.IsDocumentation).Select(file => file.Published).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Sha256}  {file.Name}"));

    internal static string HashOf(IEnumerable<string> lines)
        => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")))));
}

/// <summary>The kinds of task a data set serves, as written in a recipe.</summary>
public static class DataTask
{
    /// <summary>Which class a picture is of.</summary>
    public const string ImageClassification = "image-classification";

    /// <summary>Which class a text is of.</summary>
    public const string TextClassification = "text-classification";

    /// <summary>Which class a table's row is of.</summary>
    public const string TabularClassification = "tabular-classification";

    /// <summary>Which number belongs to a table's row.</summary>
    public const string TabularRegression = "tabular-regression";

    /// <summary>Which character or token comes next.</summary>
    public const string LanguageModeling = "language-modeling";
}
