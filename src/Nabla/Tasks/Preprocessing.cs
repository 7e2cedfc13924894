using System.Text.Json;
using System.Text.Json.Serialization;
using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>
/// How what a user has becomes what the model reads. Everything in it was fitted on the training split; it is stored in the run
/// folder as <c>preprocessing.json</c>, so that predictions and evaluations do exactly what training did.
/// </summary>
internal sealed record Preprocessing
{
    public const string FileName = "preprocessing.json";
    private const int CurrentVersion = 1;
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Version of this format.</summary>
    public int FormatVersion { get; init; } = CurrentVersion;

    /// <summary>What the model was trained on, in a few words; refusals of unfit input say it.</summary>
    public required string TrainedOn { get; init; }

    /// <summary>The sizes the model was built for, its task included.</summary>
    public required ModelInput Model { get; init; }

    /// <summary>Names of the classes in the order of the logits; empty when nothing is classified.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>How pictures become pixels of the right size and scale; null when there are none.</summary>
    public ImagePreprocessing? Image { get; init; }

    /// <summary>How text becomes token ids; null when there is none.</summary>
    public TextPreprocessing? Text { get; init; }

    /// <summary>The fitted table encoder (<see cref="TableEncoder.ToJson"/>); null when there is no table.</summary>
    public JsonElement? Table { get; init; }

    /// <summary>Writes it into a run folder.</summary>
    public void Save(string folder) => AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Json));

    /// <summary>Reads it from a run folder.</summary>
    /// <exception cref="CheckpointException">The file is missing, damaged or from a newer version.</exception>
    public static Preprocessing Load(string folder)
    {
        var file = Path.Combine(folder, FileName);
        try
        {
            var text = File.ReadAllText(file);
            var version = JsonDocument.Parse(text).RootElement.GetProperty("format_version").GetInt32();
            if (version > CurrentVersion)
            {
                throw new CheckpointException($"'{file}' has format version {version}; this Nabla reads up to {CurrentVersion}. Use the Nabla that wrote the run, or a newer one.");
            }
            return JsonSerializer.Deserialize<Preprocessing>(text, Json)!;
        }
        catch (Exception cause) when (cause is IOException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CheckpointException($"'{file}': expected the encoders that the run stored, got: {cause.Message} The run folder is half written or damaged; train again, or copy the folder whole.", cause);
        }
    }
}

/// <summary>How a picture becomes numbers.</summary>
internal sealed record ImagePreprocessing
{
    /// <summary>Channels, height and width that the model reads.</summary>
    public required int Channels { get; init; }

    public required int Height { get; init; }

    public required int Width { get; init; }

    /// <summary>Scale of the pixels, measured on the training split.</summary>
    public required PixelNormalization Pixels { get; init; }
}

/// <summary>How a text becomes token ids.</summary>
internal sealed record TextPreprocessing
{
    /// <summary>What a token is.</summary>
    public required TokenUnit Unit { get; init; }

    /// <summary>The fitted vocabulary, as it writes itself.</summary>
    public required JsonElement Vocabulary { get; init; }

    /// <summary>Longest text, or the context of a language model, in tokens.</summary>
    public required int MaxLength { get; init; }

    /// <summary>Whether a language model was trained on lines, each an example of its own.</summary>
    public bool IsLines { get; init; }
}
