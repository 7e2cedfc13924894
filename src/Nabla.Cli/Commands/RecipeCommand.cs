using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla recipe check</c> is asked.</summary>
/// <param name="Recipe">Path of a recipe or name of a built-in one.</param>
/// <param name="Overrides">Texts of the form <c>key=value</c>.</param>
/// <param name="Show">Whether the complete recipe is printed.</param>
internal sealed record RecipeCheckRequest(string Recipe, IReadOnlyList<string> Overrides, bool Show);

/// <summary>What <c>nabla recipe schema</c> is asked.</summary>
internal sealed record RecipeSchemaRequest;

/// <summary><c>nabla recipe check RECIPE</c>, <c>nabla recipe schema</c></summary>
internal static class RecipeCommand
{
    public static Command Create(CommandRunner runner, RecipeHandlers handlers)
    {
        Argument<string> recipe = new("recipe") { HelpName = "RECIPE", Description = "A recipe file (YAML or JSON) or a built-in recipe such as shapes." };
        var overrides = CommonOptions.Overrides();
        Option<bool> show = new("--show") { Description = "Print the complete recipe, every default written out." };
        Command check = new("check", "Check a recipe and list every problem with its line.") { recipe, overrides, show };
        check.SetAction((input, _) => runner.RunAsync(handlers.Check, () => new RecipeCheckRequest(input.GetRequiredValue(recipe), input.GetValue(overrides) ?? [], input.GetValue(show))));

        Command schema = new("schema", "Print the JSON schema of recipes, for editors.");
        schema.SetAction((_, _) => runner.RunAsync(handlers.Schema, () => new RecipeSchemaRequest()));

        return new("recipe", "Check recipes and print their schema.") { check, schema };
    }
}
