using Nabla.Core;

namespace Nabla.Data;

/// <summary>A running text as a token file, to predict its next tokens. Parts are held out from its end. Owns the file.</summary>
public sealed record TokenData : LoadedData
{
    /// <summary>The file.</summary>
    public required TokenFile File { get; init; }

    /// <summary>Tokens held out for validation, before those for the test.</summary>
    public long ValidationTokens { get; init; }

    /// <summary>Tokens held out for the test, at the end.</summary>
    public long TestTokens { get; init; }

    /// <summary>The vocabulary that made the tokens.</summary>
    public required ITextVocabulary Vocabulary { get; init; }

    /// <summary>Number of tokens by split.</summary>
    public override IReadOnlyDictionary<string, long> Counts
        => CountsOf(File.Count - ValidationTokens - TestTokens, ValidationTokens > 0 ? ValidationTokens : null, TestTokens > 0 ? TestTokens : null);

    /// <summary>Tokens of a split; they borrow the file.</summary>
    /// <param name="split">train, validation or test; it must have tokens.</param>
    public ITokenSequence Tokens(string split)
    {
        var train = File.Count - ValidationTokens - TestTokens;
        return split switch
        {
            "train" => File.Slice(0, train),
            "validation" => File.Slice(train, ValidationTokens),
            _ => File.Slice(train + ValidationTokens, TestTokens),
        };
    }

    /// <summary>Opens a token file and checks its hash. Nothing is held out yet.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">The file is missing, damaged, or was written without a vocabulary.</exception>
    public static TokenData Read(string path)
    {
        var file = TokenFile.Open(path);
        try
        {
            file.Verify();
            return new()
            {
                Name = Path.GetFileName(path),
                Task = DataTask.LanguageModeling,
                ContentHash = file.ContentHash,
                File = file,
                Vocabulary = file.ReadVocabulary() ?? throw new DataException($"{path}: expected a token file with its vocabulary, got one without. Write it with nabla data tokenize, or give TokenWriter.Write the vocabulary."),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>This text cut anew: the last share is test, the share before it validation; a share of null keeps the present one.</summary>
    /// <param name="options">The shares; the strategy must be random or time, which both mean the end of the text here.</param>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    /// <exception cref="DataException">A part would be empty, or the strategy does not fit.</exception>
    public override TokenData HoldOut(SplitOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Strategy is "stratified" or "group")
        {
            throw new DataException($"{Name}: the split strategy '{options.Strategy}' needs classes or a table; a running text is always cut from its end. Leave the strategy out.");
        }
        var validation = options.Validation is { } held ? Share(held, "validation") : ValidationTokens;
        var test = options.Test is { } tested ? Share(tested, "test") : TestTokens;
        return File.Count - validation - test > 0
            ? this with { ValidationTokens = validation, TestTokens = test }
            : throw new DataException($"{Name}: {validation} tokens for validation and {test} for test leave none of {File.Count} to train on.");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            File.Dispose();
        }
        base.Dispose(disposing);
    }

    private long Share(double share, string split)
    {
        var count = File.Count - (long)(File.Count * (1 - share)); // as a text in memory is cut
        return share == 0 ? 0 : count > 0 ? count : throw new DataException($"{Name}: a share of {share} of {File.Count} tokens is none; give {split} more.");
    }
}
