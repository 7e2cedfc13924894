using System.Text.Json;

namespace Nabla.Training.Tests;

/// <summary>Reads optimisers as torch describes them into our options. What torch leaves out has torch's default.</summary>
internal static class TorchOptimizers
{
    /// <summary>Our name, and torch's (or the paper's) default rate and decay.</summary>
    private static readonly Dictionary<string, (string Name, double Rate, double Decay)> Known = new()
    {
        ["SGD"] = ("sgd", 1e-3, 0),
        ["Adam"] = ("adam", 1e-3, 0),
        ["AdamW"] = ("adamw", 1e-3, 1e-2),
        ["NAdam"] = ("nadam", 2e-3, 0),
        ["RAdam"] = ("radam", 1e-3, 0),
        ["Adagrad"] = ("adagrad", 1e-2, 0),
        ["RMSprop"] = ("rmsprop", 1e-2, 0),
        ["Adadelta"] = ("adadelta", 1, 0),
        ["Adamax"] = ("adamax", 2e-3, 0),
        ["ASGD"] = ("asgd", 1e-2, 0),
        ["Rprop"] = ("rprop", 1e-2, 0),
        ["LBFGS"] = ("lbfgs", 1, 0),
        ["SparseAdam"] = ("sparse-adam", 1e-3, 0),
        ["Adafactor"] = ("adafactor", 1e-2, 0),
        ["TransformersAdafactor"] = ("adafactor-transformers", 1e-2, 0), // without a rate the paper's bound of the relative one
        ["Muon"] = ("muon", 1e-3, 0.1),
        ["MuonExact"] = ("muon", 1e-3, 0.1),
        ["Lion"] = ("lion", 1e-4, 0),
        ["Lamb"] = ("lamb", 1e-3, 0),
        ["Adan"] = ("adan", 1e-3, 0),
        ["ScheduleFreeAdamW"] = ("schedule-free", 2.5e-3, 0),
    };

    public static OptimizerOptions Read(string torchName, JsonElement options)
    {
        if (torchName == "Lookahead")
        {
            var inner = options.GetProperty("inner");
            return Read(inner.GetProperty("name").GetString()!, inner.GetProperty("options")) with
            {
                Lookahead = new() { Steps = (int)options.Integer("k", 5), Alpha = options.Number("alpha", 0.5) },
            };
        }
        Assert.SkipUnless(Known.ContainsKey(torchName), $"optimiser {torchName} is not implemented");
        var (name, rate, decay) = Known[torchName];
        var read = new OptimizerOptions { Name = name, LearningRate = rate, WeightDecay = decay };
        var extra = new Dictionary<string, double>();
        if (name == "muon")
        {
            extra["bfloat16"] = torchName == "Muon" ? 1 : 0;
        }
        foreach (var option in options.EnumerateObject())
        {
            read = Read(read, option.Name, option.Value, extra);
        }
        return read with { Extra = extra.Count > 0 ? extra : null };
    }

    private static OptimizerOptions Read(OptimizerOptions read, string name, JsonElement value, Dictionary<string, double> extra)
    {
        switch (name)
        {
            case "lr":
                return read with { LearningRate = value.GetDouble() };
            case "weight_decay":
                return read with { WeightDecay = value.GetDouble() };
            case "betas":
                return read with { Betas = Numbers(value) };
            case "eps" when value.ValueKind == JsonValueKind.Array:
                extra["epsilon2"] = value[1].GetDouble();
                return value[0].ValueKind == JsonValueKind.Null ? read : read with { Epsilon = value[0].GetDouble() };
            case "eps":
                return read with { Epsilon = value.GetDouble() };
            case "momentum":
                return read with { Momentum = value.GetDouble() };
            case "nesterov":
                return read with { Nesterov = value.GetBoolean() };
            case "auxiliary":
                var adamw = Read("AdamW", value);
                return read with { Auxiliary = new() { LearningRate = adamw.LearningRate, WeightDecay = adamw.WeightDecay, Betas = adamw.Betas, Epsilon = adamw.Epsilon, Match = [] } };
            case "etas":
                (extra["eta_minus"], extra["eta_plus"]) = (value[0].GetDouble(), value[1].GetDouble());
                return read;
            case "step_sizes":
                (extra["step_min"], extra["step_max"]) = (value[0].GetDouble(), value[1].GetDouble());
                return read;
            case "ns_coefficients":
                (extra["ns_a"], extra["ns_b"], extra["ns_c"]) = (value[0].GetDouble(), value[1].GetDouble(), value[2].GetDouble());
                return read;
            case "adjust_lr_fn" or "line_search_fn": // null and "original" are the defaults
                if (value.GetString() is { } choice and not "original")
                {
                    extra[choice] = 1;
                }
                return read;
            default:
                if (value.ValueKind != JsonValueKind.Null)
                {
                    extra[name] = value.ValueKind switch { JsonValueKind.True => 1, JsonValueKind.False => 0, _ => value.GetDouble() };
                }
                return read;
        }
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetDouble())];

    /// <summary>An optimiser with one decayed group, as <c>torch.optim.X(parameters, ...)</c> makes it.</summary>
    public static Optimizer Create(OptimizerOptions options, IEnumerable<NamedParameter> parameters, KernelChoice kernels)
        => OptimizerFactory.Create(options, [new ParameterGroup { Parameters = [.. parameters], WeightDecay = options.WeightDecay }], kernels);
}
