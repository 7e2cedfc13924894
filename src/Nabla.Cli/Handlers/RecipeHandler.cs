using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nabla.Cli;

/// <summary>Checks recipes and prints their schema.</summary>
internal static class RecipeHandler
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Lists every problem of a recipe.</summary>
    /// <exception cref="RecipeException">The recipe has errors.</exception>
    public static Task<VerbResult> CheckAsync(RecipeCheckRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var result = new RecipeLoader(RecipeRegistries.BuiltIn).Check(request.Recipe, request.Overrides);
        var recipe = result.Require();
        foreach (var finding in result.Findings)
        {
            output.Out.WriteLine(finding);
        }
        if (request.Show)
        {
            output.Out.Write(RecipeWriter.Write(recipe));
        }
        output.Error.WriteLine($"{request.Recipe}: {(result.Findings.Count == 0 ? "no problems" : "it can run, with warnings")}.");
        return Task.FromResult(new VerbResult(new JsonObject
        {
            ["recipe"] = request.Recipe,
            ["name"] = recipe.Name,
            ["task"] = recipe.Task,
            ["findings"] = ToJson(result.Findings),
        }));
    }

    /// <summary>Prints the JSON schema.</summary>
    public static Task<VerbResult> SchemaAsync(RecipeSchemaRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var schema = RecipeSchema.Create(RecipeRegistries.BuiltIn);
        output.Out.WriteLine(schema.ToJsonString(Readable));
        return Task.FromResult(new VerbResult(schema));
    }

    /// <summary>Findings as <c>--json</c> prints them.</summary>
    public static JsonArray ToJson(IEnumerable<RecipeFinding> findings) => [.. findings.Select(finding => new JsonObject
    {
        ["file"] = finding.File,
        ["line"] = finding.Line,
        ["column"] = finding.Column,
        ["key"] = finding.Key,
        ["expected"] = finding.Expected,
        ["got"] = finding.Got,
        ["nearest"] = finding.Nearest,
        ["message"] = finding.Message,
        ["severity"] = finding.Severity == FindingSeverity.Error ? "error" : "warning",
    })];
}
