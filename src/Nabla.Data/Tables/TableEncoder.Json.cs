using System.Text.Json;
using System.Text.Json.Serialization;
using Nabla.Core;

namespace Nabla.Data;

public sealed partial class TableEncoder
{
    private const int FormatVersion = 1;

    /// <summary>The whole encoder as JSON. Numbers are written so that they are read back bit for bit.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new TableEncoderState(FormatVersion, _numbers, _categories, _target, _ignored), TableEncoderJson.Default.TableEncoderState);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The JSON text.</param>
    /// <exception cref="CheckpointException">The text is damaged or from a newer version.</exception>
    public static TableEncoder FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            var state = JsonSerializer.Deserialize(json, TableEncoderJson.Default.TableEncoderState)
                ?? throw new CheckpointException("Table encoder: expected a JSON object, got null. The run's file is damaged.");
            if (state.Format != FormatVersion)
            {
                throw new CheckpointException($"Table encoder: expected format {FormatVersion}, got {state.Format}. The run is from another version of Nabla; use that one or train again.");
            }
            if (state.Numbers.Any(number => !double.IsFinite(number.Center) || !(number.Scale > 0) || (number.Scaler == "quantile") != (number.References is { Length: >= 2 })) || !(state.Target.Scale > 0))
            {
                throw new CheckpointException("Table encoder: a scaler's numbers are not possible. The run's file is damaged.");
            }
            return new(state.Numbers, state.Categories, state.Target, state.Ignored);
        }
        catch (JsonException error)
        {
            throw new CheckpointException($"Table encoder: the JSON cannot be read: {error.Message} The run's file is damaged.", error);
        }
    }
}

/// <summary>What is written to JSON.</summary>
internal sealed record TableEncoderState(int Format, NumberEncoding[] Numbers, CategoryEncoding[] Categories, TargetEncoding Target, string[] Ignored);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TableEncoderState))]
internal sealed partial class TableEncoderJson : JsonSerializerContext;
