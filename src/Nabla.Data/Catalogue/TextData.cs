using Nabla.Core;

namespace Nabla.Data;

/// <summary>A running text, to predict its next characters or tokens. Parts are held out from its end, without shuffling.</summary>
public sealed record TextData : LoadedData
{
    /// <summary>Text to learn from.</summary>
    public required string Train { get; init; }

    /// <summary>Text to choose by, which follows <see cref="Train"/>, or null.</summary>
    public string? Validation { get; init; }

    /// <summary>Text to report on, which comes last, or null.</summary>
    public string? Test { get; init; }

    /// <summary>Number of characters (UTF-16 code units) by split.</summary>
    public override IReadOnlyDictionary<string, long> Counts => CountsOf(Train.Length, Validation?.Length, Test?.Length);

    /// <summary>Reads a user's text file. Nothing is held out yet.</summary>
    /// <param name="path">The file, UTF-8.</param>
    /// <exception cref="DataException">The file is missing, empty, damaged, or not UTF-8.</exception>
    public static TextData Read(string path)
    {
        var text = PlainText.Read(path);
        return new()
        {
            Name = Path.GetFileName(path),
            Task = DataTask.LanguageModeling,
            ContentHash = FileHash.ContentHash(path),
            Train = text.Length > 0 ? text : throw new DataException($"{path}: expected a text, got an empty file."),
        };
    }

    /// <summary>This text cut anew: the last share is test, the share before it validation. All of it is cut, a part held out earlier included; a share of null keeps the present one.</summary>
    /// <param name="options">The shares; the strategy must be random or time, which both mean the end of the text here.</param>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    /// <exception cref="DataException">A part would be empty, or the strategy does not fit.</exception>
    public override TextData HoldOut(SplitOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Strategy is "stratified" or "group")
        {
            throw new DataException($"{Name}: the split strategy '{options.Strategy}' needs classes or a table; a running text is always cut from its end. Leave the strategy out.");
        }
        var whole = Train + Validation + Test;
        var validation = options.Validation is { } held ? Share(whole, held, "validation") : Validation?.Length ?? 0;
        var test = options.Test is { } tested ? Share(whole, tested, "test") : Test?.Length ?? 0;
        var train = whole.Length - validation - test;
        if (train <= 0)
        {
            throw new DataException($"{Name}: {validation} characters for validation and {test} for test leave none of {whole.Length} to train on.");
        }
        return this with
        {
            Train = whole[..train],
            Validation = validation > 0 ? whole[train..(train + validation)] : null,
            Test = test > 0 ? whole[(train + validation)..] : null,
        };
    }

    private int Share(string whole, double share, string split)
    {
        var count = whole.Length - (int)(whole.Length * (1 - share)); // so that train has floor(0.9 n), as nanoGPT cuts
        return share == 0 ? 0 : count > 0 ? count : throw new DataException($"{Name}: a share of {share} of {whole.Length} characters is none; give {split} more.");
    }
}
