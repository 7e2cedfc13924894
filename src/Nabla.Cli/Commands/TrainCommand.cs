using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla train</c> is asked.</summary>
/// <param name="Recipe">Path of a recipe or name of a built-in one; null when a run is resumed with its own recipe.</param>
/// <param name="Overrides">Texts of the form <c>key=value</c>.</param>
/// <param name="OutputFolder">Folder in which run folders are made; null: <c>runs</c>.</param>
/// <param name="Device">auto, cpu, cuda or cuda:n.</param>
/// <param name="Resume">Run folder to go on with; null: a new run.</param>
internal sealed record TrainRequest(string? Recipe, IReadOnlyList<string> Overrides, string? OutputFolder, string Device, string? Resume)
{
    /// <summary>Rules OLD=NEW for parameters whose names changed since the checkpoint that is resumed.</summary>
    public IReadOnlyList<string> Map { get; init; } = [];

    /// <summary>Whether some steps are profiled.</summary>
    public bool Profile { get; init; }

    /// <summary>How often a supervised trainer is started again at most.</summary>
    public int MaxRestarts { get; init; }
}

/// <summary><c>nabla train recipe.yaml --set training.epochs=3 --device cuda:0</c></summary>
internal static class TrainCommand
{
    private const int DefaultRestarts = 10;

    public static Command Create(CommandRunner runner, CommandHandler<TrainRequest> handler, CommandHandler<TrainRequest>? supervisor)
    {
        Argument<string?> recipe = new("recipe") { HelpName = "RECIPE", Description = "A recipe file (YAML or JSON) or a built-in recipe such as shapes.", Arity = ArgumentArity.ZeroOrOne };
        var overrides = CommonOptions.Overrides();
        Option<string?> folder = new("--out") { HelpName = "DIR", Description = "Folder in which the run folder is made. Default: runs" };
        var device = CommonOptions.Device();
        Option<string?> resume = new("--resume") { HelpName = "RUN", Description = "Go on with this run from its last checkpoint." };
        Option<string[]> map = new("--map") { HelpName = "OLD=NEW", Description = "With --resume: a parameter was renamed since its checkpoint; OLD.*=NEW.* for all below. Can be given more than once.", Arity = ArgumentArity.OneOrMore };
        Option<bool> profile = new("--profile") { Description = "Measure 5 steps after warm-up: time and memory by layer and operation, on the console, in the report, and as a timeline in trace.json of the run (open it in ui.perfetto.dev)." };
        Option<bool> supervise = new("--supervise") { Description = "Train in a process of its own and start it again from its last checkpoint when it crashes." };
        Option<int> restarts = new("--max-restarts") { HelpName = "N", Description = "With --supervise: how often at most. Default: 10", DefaultValueFactory = _ => DefaultRestarts };
        Command command = new("train", "Train a model from a recipe. Ctrl-C or SIGTERM ends it with its place saved; --resume goes on from there.") { recipe, overrides, folder, device, resume, map, profile };
        if (supervisor is not null)
        {
            command.Options.Add(supervise);
            command.Options.Add(restarts);
        }
        command.SetAction((input, _) => supervisor is not null && input.GetValue(supervise)
            ? runner.RunAsync(supervisor, () => Request(input), ownSignals: true)
            : runner.RunAsync(handler, () => Request(input)));
        return command;

        TrainRequest Request(ParseResult input)
        {
            var request = new TrainRequest(input.GetValue(recipe), input.GetValue(overrides) ?? [], input.GetValue(folder), CommonOptions.CheckDevice(input.GetValue(device)), input.GetValue(resume)) { Map = input.GetValue(map) ?? [], Profile = input.GetValue(profile), MaxRestarts = supervisor is null ? 0 : input.GetValue(restarts) };
            if (request is { Map.Count: > 0, Resume: null })
            {
                throw new UsageException("nabla train: --map says how the parameters of a checkpoint are named now; it needs --resume RUN.");
            }
            if (request.MaxRestarts < 0)
            {
                throw new UsageException($"--max-restarts: expected a number of at least 0, got {request.MaxRestarts}.");
            }
            return request is { Recipe: null, Resume: null }
                ? throw new UsageException("nabla train: expected a recipe file or the name of a built-in recipe, got nothing. Example: nabla train shapes")
                : request;
        }
    }
}
