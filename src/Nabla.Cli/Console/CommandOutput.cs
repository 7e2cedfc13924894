using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nabla.Cli;

/// <summary>
/// Where a verb writes. Results for people go to <see cref="Out"/>, but with <c>--json</c> nothing but the one JSON line does;
/// progress and logs always go to <see cref="Error"/>.
/// </summary>
/// <param name="standardOutput">Standard output.</param>
/// <param name="standardError">Standard error.</param>
/// <param name="standardInput">Opens standard input; called only when it is read, because opening the console's takes time.</param>
internal sealed class CommandOutput(TextWriter standardOutput, TextWriter standardError, Func<TextReader> standardInput)
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Whether the last line of standard output shall be one JSON object.</summary>
    public bool Json { get; set; }

    /// <summary>Results for people: standard output, or nothing with <c>--json</c>.</summary>
    public TextWriter Out => Json ? TextWriter.Null : standardOutput;

    /// <summary>Progress and logs: standard error.</summary>
    public TextWriter Error => standardError;

    /// <summary>Standard input.</summary>
    public TextReader In => standardInput();

    /// <summary>Writes the JSON line, if it was asked for.</summary>
    /// <param name="result">The object.</param>
    public void WriteJson(JsonObject result)
    {
        if (Json)
        {
            standardOutput.WriteLine(result.ToJsonString(OneLine));
            standardOutput.Flush();
        }
    }

    /// <summary>Standard output as it is, for help and version, which <c>--json</c> does not change.</summary>
    public TextWriter Plain => standardOutput;
}
