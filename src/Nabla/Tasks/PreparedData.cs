using Nabla.Data;

namespace Nabla;

/// <summary>The data of a run, ready for a loader: sources of each split, the encoders that made them, and facts for reports. Owns its sources.</summary>
internal sealed class PreparedData : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>Examples to train on.</summary>
    public required IBatchSource Train { get; init; }

    /// <summary>Examples in one epoch of training, where it is not all (overlapping windows of a text); null: all.</summary>
    public long? TrainExamplesPerEpoch { get; init; }

    /// <summary>Examples to validate on, or null when there are none.</summary>
    public IBatchSource? Validation { get; init; }

    /// <summary>Examples to test on, or null when there are none.</summary>
    public IBatchSource? Test { get; init; }

    /// <summary>The fitted encoders.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>Where the data came from and what it is.</summary>
    public required DataFacts Facts { get; init; }

    /// <summary>How an example of a split looks to a person, for reports.</summary>
    public required Func<string, long, RawExample> Describe { get; init; }

    /// <summary>The examples of a split, or null when it has none.</summary>
    public IBatchSource? Split(string name) => name switch { "train" => Train, "validation" => Validation, "test" => Test, _ => null };

    /// <summary>Names of the splits that have examples.</summary>
    public IReadOnlyList<string> Splits => [.. new[] { "train", "validation", "test" }.Where(name => Split(name) is not null)];

    /// <summary>Makes this object free these too.</summary>
    public PreparedData Own(params ReadOnlySpan<IDisposable> resources)
    {
        _owned.AddRange(resources);
        return this;
    }

    public void Dispose() => _owned.ForEach(resource => resource.Dispose());
}

/// <summary>Where the data of a run came from.</summary>
internal sealed record DataFacts
{
    /// <summary>Name of the data set, or the path of the user's file.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 over the files' contents, or over the generator's options.</summary>
    public required string ContentHash { get; init; }

    public string Licence { get; init; } = "";

    public string Source { get; init; } = "";

    public string Card { get; init; } = "";

    /// <summary>Number of examples (language models: tokens) of each split.</summary>
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    /// <summary>What is counted, such as pictures, texts, rows, characters.</summary>
    public required string Unit { get; init; }

    /// <summary>Number of examples of each class by split; empty when nothing is classified.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> ClassCounts { get; init; } = new Dictionary<string, IReadOnlyList<long>>();

    /// <summary>What a user should know before trusting the run, such as rare classes.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>An example as a person sees it.</summary>
internal sealed record RawExample
{
    /// <summary>The picture as PNG.</summary>
    public byte[]? Picture { get; init; }

    /// <summary>The text.</summary>
    public string? Text { get; init; }

    /// <summary>The row of a table.</summary>
    public IReadOnlyList<ReportFact> Row { get; init; } = [];

    /// <summary>Where it is from, such as a file name.</summary>
    public string? Source { get; init; }
}
