using Nabla.Core;

namespace Nabla.Training;

/// <summary>An optimiser as the factory knows it: its name, what it takes, its defaults (PyTorch's), and how it is made.</summary>
internal sealed record OptimizerRule(string Name, Func<OptimizerSettings, IReadOnlyList<ParameterGroup>, Optimizer> Create)
{
    /// <summary>Name of the rule that shares its parameters with an AdamW.</summary>
    internal const string Muon = "muon";

    private static readonly ExtraOption Switch = new(0, value => value is 0 or 1, "0 or 1");
    private static readonly ExtraOption NotNegative = new(0, value => value >= 0 && double.IsFinite(value), "at least 0");
    private static readonly ExtraOption Above = new(0, value => value > 0 && double.IsFinite(value), "above 0");
    private static readonly ExtraOption Count = new(0, value => value >= 1 && value <= int.MaxValue && Math.Floor(value) == value, "an integer of at least 1");
    private static readonly ExtraOption Any = new(0, double.IsFinite, "a number");
    private static readonly ExtraOption Falling = new(0, value => value <= 0 && double.IsFinite(value), "at most 0");
    private static readonly ExtraOption Share = new(0, value => value is >= 0 and < 1, "in [0, 1)");

    /// <summary>Default decay rates of the moments; empty where the rule has none.</summary>
    public IReadOnlyList<double> Betas { get; init; } = [];

    /// <summary>Default epsilon; null where the rule has none.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Whether the rule takes momentum.</summary>
    public bool TakesMomentum { get; init; }

    /// <summary>Default momentum, where the rule takes it.</summary>
    public double Momentum { get; init; }

    /// <summary>Whether Nesterov's form is the default.</summary>
    public bool IsNesterov { get; init; }

    /// <summary>Whether the rule has weight decay.</summary>
    public bool TakesWeightDecay { get; init; } = true;

    /// <summary>Whether groups may have rates and decay of their own.</summary>
    public bool TakesGroups { get; init; } = true;

    /// <summary>Whether the first beta must be above 0.</summary>
    public bool NeedsFirstBeta { get; init; }

    /// <summary>Whether lookahead can go around it.</summary>
    public bool TakesLookahead { get; init; } = true;

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
        new("adan", (settings, groups) => new AdanOptimizer(settings, groups)) { Betas = [0.98, 0.92, 0.99], Epsilon = 1e-8, Extra = Options(("decay_before", Switch)) },
        new("adafactor", (settings, groups) => new AdafactorOptimizer(settings, groups)) { Epsilon = 0, Extra = Options(("beta2_decay", Falling with { Default = -0.8 }), ("d", Above with { Default = 1 }), ("epsilon2", NotNegative with { Default = 1e-3 })) },
        new("adafactor-transformers", (settings, groups) => new TransformersAdafactorOptimizer(settings, groups))
        {
            Epsilon = 1e-30,
            Extra = Options(("epsilon2", NotNegative with { Default = 1e-3 }), ("clip_threshold", Above with { Default = 1 }), ("decay_rate", Falling with { Default = -0.8 }), ("beta1", Share),
                ("scale_parameter", Switch with { Default = 1 }), ("relative_step", Switch with { Default = 1 }), ("warmup_init", Switch)),
        },
        new(Muon, (settings, groups) => new MuonOptimizer(settings, groups))
        {
            Epsilon = 1e-7,
            TakesMomentum = true,
            Momentum = 0.95,
            TakesNesterov = true,
            IsNesterov = true,
            Extra = Options(("ns_steps", Count with { Default = 5 }), ("ns_a", Any with { Default = 3.4445 }), ("ns_b", Any with { Default = -4.775 }), ("ns_c", Any with { Default = 2.0315 }),
                ("match_rms_adamw", Switch), ("bfloat16", new(MuonOptimizer.Automatic, value => value is 0 or 1 or MuonOptimizer.Automatic, "0, 1 or 2 (where the device multiplies it fast)"))),
        },
        new("schedule-free", (settings, groups) => new ScheduleFreeOptimizer(settings, groups)) { Betas = [0.9, 0.999], Epsilon = 1e-8, NeedsFirstBeta = true, TakesLookahead = false, Extra = Options(("warmup_steps", NotNegative), ("r", NotNegative), ("weight_lr_power", NotNegative with { Default = 2 })) },
        new("asgd", (settings, groups) => new AsgdOptimizer(settings, groups)) { Extra = Options(("lambd", NotNegative with { Default = 1e-4 }), ("alpha", NotNegative with { Default = 0.75 }), ("t0", NotNegative with { Default = 1e6 })) },
        new("rprop", (settings, groups) => new RpropOptimizer(settings, groups))
        {
            TakesWeightDecay = false,
            Extra = Options(("eta_minus", new(0.5, value => value is > 0 and < 1, "in (0, 1)")), ("eta_plus", new(1.2, value => value > 1 && double.IsFinite(value), "above 1")), ("step_min", Above with { Default = 1e-6 }), ("step_max", Above with { Default = 50 })),
        },
        new("sparse-adam", (settings, groups) => new SparseAdamOptimizer(settings, groups)) { Betas = [0.9, 0.999], Epsilon = 1e-8, TakesWeightDecay = false },
        new("lbfgs", (settings, groups) => new LbfgsOptimizer(settings, groups))
        {
            TakesWeightDecay = false,
            TakesGroups = false,
            TakesLookahead = false,
            Extra = Options(("max_iter", Count with { Default = 20 }), ("max_eval", Count with { Default = 0, IsValid = value => value >= 0 && value <= int.MaxValue && Math.Floor(value) == value, Range = "an integer of at least 0 (0: 1.25 times max_iter)" }), ("history_size", Count with { Default = 100 }),
                ("tolerance_grad", NotNegative with { Default = 1e-7 }), ("tolerance_change", NotNegative with { Default = 1e-9 }), ("strong_wolfe", Switch)),
        },
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
            .Require(!NeedsFirstBeta || options.Betas is not [0, ..], $"betas must begin with a number above 0 for {Name}; they are [{string.Join(", ", options.Betas ?? [])}].")
            .Require(options.Momentum is null or 0 || TakesMomentum, $"{Name} takes no momentum{(Betas.Count > 0 ? " (its first beta is that)" : "")}; leave it out.")
            .Require(options.Nesterov != true || TakesNesterov, $"{Name} knows no nesterov; leave it out.")
            .Require(options.Nesterov != true || !TakesNesterov || (options.Momentum ?? Momentum) > 0, $"nesterov needs momentum above 0; momentum is {options.Momentum ?? Momentum}.")
            .Require(options.WeightDecay == 0 || TakesWeightDecay, $"{Name} has no weight_decay; leave it out.")
            .Require(TakesGroups || options.Groups is null or { Count: 0 }, $"{Name} moves all parameters together: it takes no groups; leave them out.")
            .Require(TakesGroups || options.LayerDecay is null, $"{Name} moves all parameters together: it takes no layer_decay; leave it out.")
            .Require(TakesLookahead || options.Lookahead is null, $"{Name} takes no lookahead; leave it out.")
            .Require(Name == Muon || options.Auxiliary is null, $"{Name} takes no auxiliary optimiser (muon does); leave it out.");
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
        check.Require(options.Nesterov != true || extra.GetValueOrDefault("dampening") == 0, $"nesterov needs dampening 0; it is {extra.GetValueOrDefault("dampening")}.");
        check.ThrowIfAny();
        return new()
        {
            LearningRate = options.LearningRate,
            Betas = options.Betas ?? Betas,
            Epsilon = options.Epsilon ?? Epsilon ?? 0,
            Momentum = options.Momentum ?? Momentum,
            Nesterov = options.Nesterov ?? (IsNesterov && (options.Momentum ?? Momentum) > 0),
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
