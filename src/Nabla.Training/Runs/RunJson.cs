using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nabla.Training;

/// <summary>JSON of run folders: snake_case, indented, numbers round-trip, NaN and infinities by name.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    NewLine = "\n",
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunStatus))]
[JsonSerializable(typeof(RunEnvironment))]
[JsonSerializable(typeof(CheckpointState))]
[JsonSerializable(typeof(CheckpointManifest))]
[JsonSerializable(typeof(ProfileReport))]
internal sealed partial class RunJson : JsonSerializerContext
{
    /// <summary>Reads a JSON file of a run folder.</summary>
    /// <exception cref="Nabla.Core.CheckpointException">The file is missing or not what it should be.</exception>
    public static T Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new JsonException("It holds null.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new Nabla.Core.CheckpointException($"{path}: expected a readable JSON file of a run, got an error: {error.Message} The run folder is half written or damaged; use another run, or resume from an earlier checkpoint.", error);
        }
    }

    /// <summary>UTF-8 JSON with a final line break.</summary>
    public static byte[] Bytes<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => [.. JsonSerializer.SerializeToUtf8Bytes(value, type), (byte)'\n'];
}
