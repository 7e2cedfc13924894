using System.Text.Json;

namespace Nabla.Training.Tests;

/// <summary>Reads optimisers as torch describes them into our options. What torch leaves out has torch's default.</summary>
internal static class TorchOptimizers
{
    private static readonly Dictionary<string, (double Rate, double Decay)> Defaults = new()
    {
        ["sgd"] = (1e-3, 0),
        ["adam"] = (1e-3, 0),
        ["adamw"] = (1e-3, 1e-2),
        ["nadam"] = (2e-3, 0),
        ["radam"] = (1e-3, 0),
        ["adagrad"] = (1e-2, 0),
        ["rmsprop"] = (1e-2, 0),
        ["adadelta"] = (1, 0),
        ["adamax"] = (2e-3, 0),
        ["lion"] = (1e-4, 0),
        ["lamb"] = (1e-3, 0),
    };

    public static OptimizerOptions Read(string torchName, JsonElement options)
    {
        var name = torchName.ToLowerInvariant();
        Assert.SkipUnless(OptimizerFactory.Names.Contains(name), $"optimiser {torchName} is not implemented");
        var read = new OptimizerOptions { Name = name, LearningRate = Defaults[name].Rate, WeightDecay = Defaults[name].Decay };
        var extra = new Dictionary<string, double>();
        foreach (var option in options.EnumerateObject())
        {
            read = option.Name switch
            {
                "lr" => read with { LearningRate = option.Value.GetDouble() },
                "weight_decay" => read with { WeightDecay = option.Value.GetDouble() },
                "betas" => read with { Betas = [.. option.Value.EnumerateArray().Select(beta => beta.GetDouble())] },
                "eps" => read with { Epsilon = option.Value.GetDouble() },
                "momentum" => read with { Momentum = option.Value.GetDouble() },
                "nesterov" => read with { Nesterov = option.Value.GetBoolean() },
                _ => read,
            };
            if (option.Name is not ("lr" or "weight_decay" or "betas" or "eps" or "momentum" or "nesterov"))
            {
                extra[option.Name] = option.Value.ValueKind switch
                {
                    JsonValueKind.True => 1,
                    JsonValueKind.False => 0,
                    _ => option.Value.GetDouble(),
                };
            }
        }
        return read with { Extra = extra.Count > 0 ? extra : null };
    }

    /// <summary>An optimiser with one decayed group, as <c>torch.optim.X(parameters, ...)</c> makes it.</summary>
    public static Optimizer Create(OptimizerOptions options, IEnumerable<NamedParameter> parameters, bool useFusedKernels)
        => OptimizerFactory.Create(options, [new ParameterGroup { Parameters = [.. parameters], WeightDecay = options.WeightDecay }], useFusedKernels);
}
