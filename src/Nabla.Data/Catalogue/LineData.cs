using Nabla.Core;

namespace Nabla.Data;

/// <summary>Many short texts, one a line, to learn to write more of their kind.</summary>
public sealed record LineData : LoadedData
{
    /// <summary>Lines to learn from.</summary>
    public required string[] Train { get; init; }

    /// <summary>Lines to choose by, or null.</summary>
    public string[]? Validation { get; init; }

    /// <summary>Lines to report on, or null.</summary>
    public string[]? Test { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, long> Counts => CountsOf(Train.Length, Validation?.Length, Test?.Length);

    /// <summary>Reads a user's text file, one example a line; blank lines are left out.</summary>
    /// <param name="path">The file, UTF-8.</param>
    /// <exception cref="DataException">The file is missing, without lines, damaged, or not UTF-8.</exception>
    public static LineData Read(string path)
    {
        var lines = PlainText.ReadLines(path, skipBlank: true);
        return new()
        {
            Name = Path.GetFileName(path),
            Task = DataTask.LanguageModeling,
            ContentHash = FileHash.ContentHash(path),
            Train = lines.Length > 0 ? lines : throw new DataException($"{path}: expected lines of text, got an empty file."),
        };
    }

    /// <inheritdoc/>
    public override LineData HoldOut(SplitOptions options)
    {
        var split = Split(options, Train.Length, Validation is not null, Test is not null, null);
        return this with
        {
            Train = split is null ? Train : Select(split.Train),
            Validation = split is { Validation.Length: > 0 } ? Select(split.Validation) : options.Validation == 0 ? null : Validation,
            Test = split is { Test.Length: > 0 } ? Select(split.Test) : options.Test == 0 ? null : Test,
        };
    }

    private string[] Select(long[] rows) => Array.ConvertAll(rows, row => Train[row]);
}
