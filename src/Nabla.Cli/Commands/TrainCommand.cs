using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla train</c> is asked.</summary>
/// <param name="Recipe">Path of a recipe or name of a built-in one; null when a run is resumed with its own recipe.</param>
/// <param name="Overrides">Texts of the form <c>key=value</c>.</param>
/// <param name="OutputFolder">Folder in which run folders are made; null: <c>runs</c>.</param>
/// <param name="Device">auto, cpu, cuda or cuda:n.</param>
/// <param name="Resume">Run folder to go on with; null: a new run.</param>
/// <param name="Profile">Whether some steps are profiled.</param>
internal sealed record TrainRequest(string? Recipe, IReadOnlyList<string> Overrides, string? OutputFolder, string Device, string? Resume, bool Profile = false);

/// <summary><c>nabla train recipe.yaml --set training.epochs=3 --device cuda:0</c></summary>
internal static class TrainCommand
{
    public static Command Create(CommandRunner runner, CommandHandler<TrainRequest> handler)
    {
        Argument<string?> recipe = new("recipe") { HelpName = "RECIPE", Description = "A recipe file (YAML or JSON) or a built-in recipe such as shapes.", Arity = ArgumentArity.ZeroOrOne };
        var overrides = CommonOptions.Overrides();
        Option<string?> folder = new("--out") { HelpName = "DIR", Description = "Folder in which the run folder is made. Default: runs" };
        var device = CommonOptions.Device();
        Option<string?> resume = new("--resume") { HelpName = "RUN", Description = "Go on with this run from its last checkpoint." };
        Option<bool> profile = new("--profile") { Description = "Measure 5 steps after warm-up: time and memory by layer and operation, on the console, in the report, and as a timeline in trace.json of the run (open it in ui.perfetto.dev)." };
        Command command = new("train", "Train a model from a recipe.") { recipe, overrides, folder, device, resume, profile };
        command.SetAction((input, _) => runner.RunAsync(handler, () =>
        {
            var request = new TrainRequest(input.GetValue(recipe), input.GetValue(overrides) ?? [], input.GetValue(folder), CommonOptions.CheckDevice(input.GetValue(device)), input.GetValue(resume), input.GetValue(profile));
            return request is { Recipe: null, Resume: null }
                ? throw new UsageException("nabla train: expected a recipe file or the name of a built-in recipe, got nothing. Example: nabla train shapes")
                : request;
        }));
        return command;
    }
}
