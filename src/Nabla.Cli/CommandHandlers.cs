namespace Nabla.Cli;

/// <summary>Does the work of a verb, without knowing the console.</summary>
/// <typeparam name="TRequest">What the verb's arguments and options say.</typeparam>
/// <param name="request">What is asked.</param>
/// <param name="output">Where results, progress and logs go.</param>
/// <param name="cancellationToken">Set by the first Ctrl-C: finish what must be whole, then throw <see cref="OperationCanceledException"/>.</param>
internal delegate Task<VerbResult> CommandHandler<in TRequest>(TRequest request, CommandOutput output, CancellationToken cancellationToken);

/// <summary>The work behind each verb. A verb without a handler is not declared, so help never promises what is not there.</summary>
internal sealed record CommandHandlers
{
    /// <summary>Trains a model.</summary>
    public CommandHandler<TrainRequest>? Train { get; init; }

    /// <summary>Trains a model in a process that is started again when it crashes.</summary>
    public CommandHandler<TrainRequest>? Supervise { get; init; }

    /// <summary>Measures a trained model.</summary>
    public CommandHandler<EvaluateRequest>? Evaluate { get; init; }

    /// <summary>Predicts with a trained model.</summary>
    public CommandHandler<PredictRequest>? Predict { get; init; }

    /// <summary>Lists, shows and compares runs.</summary>
    public RunsHandlers? Runs { get; init; }

    /// <summary>Lists, describes and fetches data sets.</summary>
    public DataHandlers? Data { get; init; }

    /// <summary>Checks recipes and writes their schema.</summary>
    public RecipeHandlers? Recipe { get; init; }

    /// <summary>Examines the machine.</summary>
    public CommandHandler<DoctorRequest>? Doctor { get; init; }

    /// <summary>Measures speed.</summary>
    public CommandHandler<BenchRequest>? Bench { get; init; }

    /// <summary>What this program does. Only delegates are made here: nothing behind them is loaded before it is called.</summary>
    public static CommandHandlers BuiltIn => new()
    {
        Train = TrainHandler.RunAsync,
        Supervise = SuperviseHandler.RunAsync,
        Evaluate = EvaluateHandler.RunAsync,
        Predict = PredictHandler.RunAsync,
        Runs = new() { List = RunsHandler.ListAsync, Show = RunsHandler.ShowAsync, Compare = RunsHandler.CompareAsync },
        Data = new() { List = DataHandler.ListAsync, Info = DataHandler.InfoAsync, Pull = DataHandler.PullAsync, Tokenize = DataHandler.TokenizeAsync },
        Recipe = new() { Check = RecipeHandler.CheckAsync, Schema = RecipeHandler.SchemaAsync },
        Doctor = DoctorHandler.RunAsync,
        Bench = BenchHandler.RunAsync,
    };
}

/// <summary>The work behind <c>nabla runs</c>.</summary>
internal sealed record RunsHandlers
{
    /// <summary>Lists runs.</summary>
    public required CommandHandler<RunsListRequest> List { get; init; }

    /// <summary>Shows one run.</summary>
    public required CommandHandler<RunsShowRequest> Show { get; init; }

    /// <summary>Compares runs.</summary>
    public required CommandHandler<RunsCompareRequest> Compare { get; init; }
}

/// <summary>The work behind <c>nabla data</c>.</summary>
internal sealed record DataHandlers
{
    /// <summary>Lists data sets.</summary>
    public required CommandHandler<DataListRequest> List { get; init; }

    /// <summary>Describes one data set.</summary>
    public required CommandHandler<DataNameRequest> Info { get; init; }

    /// <summary>Fetches data sets.</summary>
    public required CommandHandler<DataNameRequest> Pull { get; init; }

    /// <summary>Makes token files.</summary>
    public required CommandHandler<DataTokenizeRequest> Tokenize { get; init; }
}

/// <summary>The work behind <c>nabla recipe</c>.</summary>
internal sealed record RecipeHandlers
{
    /// <summary>Checks a recipe.</summary>
    public required CommandHandler<RecipeCheckRequest> Check { get; init; }

    /// <summary>Writes the JSON schema of recipes.</summary>
    public required CommandHandler<RecipeSchemaRequest> Schema { get; init; }
}
