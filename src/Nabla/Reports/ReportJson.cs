using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nabla;

/// <summary>Reads and writes <see cref="ReportData"/> as JSON; NaN and infinities are kept as strings, pictures as base64.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ReportData))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    public static string Write(ReportData data) => JsonSerializer.Serialize(data, Default.ReportData);

    public static ReportData? Read(string json) => JsonSerializer.Deserialize(json, Default.ReportData);
}
