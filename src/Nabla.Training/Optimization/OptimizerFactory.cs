using Nabla.Core;

namespace Nabla.Training;

/// <summary>Makes optimisers by name.</summary>
public static class OptimizerFactory
{
    /// <summary>Valid values of <see cref="OptimizerOptions.Name"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. OptimizerRule.All.Select(rule => rule.Name)];

    /// <summary>
    /// An optimiser over a model's parameters: those with two axes or more are decayed, all others (norms and biases) are not unless
    /// <see cref="OptimizerOptions.DecayNormsAndBiases"/> says so; <see cref="OptimizerOptions.Groups"/> and
    /// <see cref="OptimizerOptions.LayerDecay"/> change rates and decay. Parameters that require no gradient are left out.
    /// </summary>
    /// <param name="options">Which optimiser, and its numbers.</param>
    /// <param name="parameters">Parameters of the model, in its order; the model keeps owning them. Move the model to its device first.</param>
    /// <exception cref="OptionsException">The name is not known, a value cannot work or does not belong to this optimiser, or a group's pattern fits no parameter.</exception>
    /// <exception cref="ArgumentException">No parameter requires a gradient, or two have the same name.</exception>
    public static Optimizer Create(OptimizerOptions options, IEnumerable<NamedParameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parameters);
        Validate(options);
        return Create(options, ParameterGrouping.Group(options, [.. parameters]));
    }

    /// <summary>An optimiser over given groups. Each group carries its own rate factor and weight decay.</summary>
    /// <param name="options">Which optimiser, and its numbers; its weight decay, groups and layer decay are not used.</param>
    /// <param name="groups">The groups.</param>
    /// <exception cref="OptionsException">The name is not known, or a value cannot work or does not belong to this optimiser.</exception>
    /// <exception cref="ArgumentException">No parameter requires a gradient, or two have the same name.</exception>
    public static Optimizer Create(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups) => Create(options, groups, KernelChoice.Fastest);

    /// <summary>As the public form, with the kernels by choice.</summary>
    internal static Optimizer Create(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups, KernelChoice kernels)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groups);
        Validate(options);
        if (options.Offload && groups.Any(group => group.Parameters.Any(parameter => parameter.Value.device_type != DeviceType.CPU)))
        {
            return new OffloadedOptimizer(groups, copies => Create(options with { Offload = false }, copies, kernels));
        }
        var optimizer = options.Name == OptimizerRule.Muon ? WithAuxiliary(options, groups, kernels) : Make(options, groups, kernels);
        return options.Lookahead is { } lookahead ? new LookaheadOptimizer(optimizer, lookahead) : optimizer;
    }

    /// <summary>Checks the name and every value without making anything.</summary>
    /// <param name="options">Which optimiser, and its numbers.</param>
    /// <exception cref="OptionsException">The name is not known, or a value cannot work or does not belong to this optimiser.</exception>
    public static void Validate(OptimizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionsCheck.For(options).OneOf("name", options.Name, Names).ThrowIfAny();
        options.Validate();
        options.Lookahead?.Validate();
        options.Auxiliary?.Validate();
        foreach (var group in options.Groups ?? [])
        {
            group.Validate();
        }
        _ = OptimizerRule.All.Single(rule => rule.Name == options.Name).Resolve(options);
    }

    private static Optimizer Make(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups, KernelChoice kernels)
    {
        var rule = OptimizerRule.All.Single(rule => rule.Name == options.Name);
        return rule.Create(rule.Resolve(options) with { Kernels = kernels }, groups);
    }

    /// <summary>Matrices to muon, all other parameters to an AdamW beside it.</summary>
    private static Optimizer WithAuxiliary(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups, KernelChoice kernels)
    {
        var auxiliary = options.Auxiliary ?? new();
        var split = ParameterGrouping.Split(groups, auxiliary);
        if (split.Matrices.Count == 0)
        {
            throw new ArgumentException($"muon has nothing to do: no parameter is a matrix that it takes. auxiliary.match takes {string.Join(", ", auxiliary.Match)}. Use adamw, or narrow those patterns.", nameof(groups));
        }
        var muon = Make(options, split.Matrices, kernels);
        if (split.Others.Count == 0)
        {
            return muon;
        }
        return new CompositeOptimizer(muon, Make(auxiliary.ToOptimizer(), split.Others, kernels));
    }
}
