using Nabla.Core;

namespace Nabla.Training;

/// <summary>An optimiser as the factory knows it: its name, what it takes, its defaults (PyTorch's), and how it is made.</summary>
internal sealed record OptimizerRule(string Name, Func<OptimizerSettings, IReadOnlyList<ParameterGroup>, Optimizer> Create)
{
    private static readonly ExtraOption Switch = new(0, value => value is 0 or 1, "0 or 1");
    private static readonly ExtraOption NotNegative = new(0, value => value >= 0 && double.IsFinite(value), "at least 0");
    private static readonly ExtraOption Share = new(0, value => value is >= 0 and < 1, "in [0, 1)");

    /// <summary>Default decay rates of the moments; empty where the rule has none.</summary>
    public IReadOnlyList<double> Betas { get; init; } = [];

    /// <summary>Default epsilon; null where the rule has none.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Whether the rule takes momentum.</summary>
    public bool TakesMomentum { get; init; }

    /// <summary>Whether the rule knows Nesterov's form.</summary>
    public bool TakesNesterov { get; init; }

    /// <summary>Further options by their PyTorch name.</summary>
    public IReadOnlyDictionary<string, ExtraOption> Extra { get; init; } = new Dictionary<string, ExtraOption>();

    /// <summary>All rules, by name.</summary>
    public static IReadOnlyList<OptimizerRule> All { get; } =
    [
        new("adamw", (settings, groups) => new AdamOptimizer(settings, groups, isDecoupled: true)) { Betas = [0.9, 0.999], Epsilon = 1e-8, Extra = Options(("amsgrad", Switch), ("maximize", Switch)) },
        new("adam", (settings, groups) => new AdamOptimizer(settings, groups, isDecoupled: false)) { Betas = [0.9, 0.999], Epsilon = 1e-8, Extra = Options(("amsgrad", Switch), ("maximize", Switch)) },
        new("sgd", (settings, groups) => new SgdOptimizer(settings, groups)) { TakesMomentum = true, TakesNesterov = true, Extra = Options(("dampening", Share with { IsValid = value => value is >= 0 and <= 1, Range = "in [0, 1]" }), ("maximize", Switch)) },
        new("rmsprop", (settings, groups) => new RmsPropOptimizer(settings, groups)) { Epsilon = 1e-8, TakesMomentum = true, Extra = Options(("alpha", Share with { Default = 0.99 }), ("centered", Switch)) },
        new("adagrad", (settings, groups) => new AdagradOptimizer(settings, groups)) { Epsilon = 1e-10, Extra = Options(("lr_decay", NotNegative), ("initial_accumulator_value", NotNegative)) },
        new("adadelta", (settings, groups) => new AdadeltaOptimizer(settings, groups)) { Epsilon = 1e-6, Extra = Options(("rho", Share with { Default = 0.9 })) },
        new("adamax", (settings, groups) => new AdamaxOptimizer(settings, groups)) { Betas = [0.9, 0.999], Epsilon = 1e-8 },
        new("nadam", (settings, groups) => new NAdamOptimizer(settings, groups)) { Betas = [0.9, 0.999], Epsilon = 1e-8, Extra = Options(("momentum_decay", NotNegative with { Default = 4e-3 }), ("decoupled_weight_decay", Switch)) },
        new("radam", (settings, groups) => new RAdamOptimizer(settings, groups)) { Betas = [0.9, 0.999], Epsilon = 1e-8, Extra = Options(("decoupled_weight_decay", Switch)) },
        new("lion", (settings, groups) => new LionOptimizer(settings, groups)) { Betas = [0.9, 0.99] },
        new("lamb", (settings, groups) => new LambOptimizer(settings, groups)) { Betas = [0.9, 0.999], Epsilon = 1e-6, Extra = Options(("bias_correction", Switch with { Default = 1 })) },
    ];

    /// <summary>Fills in defaults, after checking that <paramref name="options"/> gives this rule nothing that it does not take.</summary>
    /// <param name="options">Options that have passed <see cref="OptimizerOptions.Validate"/>.</param>
    /// <exception cref="OptionsException">Something does not belong to this optimiser; all such things are listed.</exception>
    public OptimizerSettings Resolve(OptimizerOptions options)
    {
        var extra = options.Extra ?? new Dictionary<string, double>();
        var check = OptionsCheck.For(options)
            .Require(options.Betas is null || Betas.Count > 0, $"{Name} takes no betas; leave them out.")
            .Require(options.Betas is null || Betas.Count == 0 || options.Betas.Count == Betas.Count, $"{Name} takes {Betas.Count} betas; there are {options.Betas?.Count}.")
            .Require(options.Epsilon is null || Epsilon is not null, $"{Name} takes no epsilon; leave it out.")
            .Require(options.Momentum == 0 || TakesMomentum, $"{Name} takes no momentum{(Betas.Count > 0 ? " (its first beta is that)" : "")}; leave it out.")
            .Require(!options.Nesterov || TakesNesterov, $"{Name} knows no nesterov; leave it out.");
        foreach (var (name, value) in extra)
        {
            if (Extra.TryGetValue(name, out var option))
            {
                check.Require(option.IsValid(value), $"{name} must be {option.Range}; it is {value}.");
            }
            else
            {
                check.Require(false, $"{Name} has no option '{name}'. {(Extra.Count == 0 ? "It takes none." : NearestName.Suggest(name, [.. Extra.Keys]))}");
            }
        }
        check.Require(!options.Nesterov || extra.GetValueOrDefault("dampening") == 0, $"nesterov needs dampening 0; it is {extra.GetValueOrDefault("dampening")}.");
        check.ThrowIfAny();
        return new()
        {
            LearningRate = options.LearningRate,
            Betas = options.Betas ?? Betas,
            Epsilon = options.Epsilon ?? Epsilon ?? 0,
            Momentum = options.Momentum,
            Nesterov = options.Nesterov,
            Extra = Extra.ToDictionary(option => option.Key, option => extra.TryGetValue(option.Key, out var value) ? value : option.Value.Default),
        };
    }

    private static Dictionary<string, ExtraOption> Options(params (string Name, ExtraOption Option)[] options)
        => options.ToDictionary(option => option.Name, option => option.Option);
}

/// <summary>An option that one optimiser has for itself.</summary>
/// <param name="Default">Its default.</param>
/// <param name="IsValid">Whether a value can work.</param>
/// <param name="Range">Valid values in words.</param>
internal sealed record ExtraOption(double Default, Func<double, bool> IsValid, string Range);
