using Nabla.Core;

namespace Nabla.Training;

/// <summary>Makes optimisers by name.</summary>
public static class OptimizerFactory
{
    /// <summary>Valid values of <see cref="OptimizerOptions.Name"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. OptimizerRule.All.Select(rule => rule.Name)];

    /// <summary>
    /// An optimiser over two groups: parameters with two axes or more, which are decayed, and all others (norms and biases), which are not
    /// unless <see cref="OptimizerOptions.DecayNormsAndBiases"/> says so. Parameters that require no gradient are left out.
    /// </summary>
    /// <param name="options">Which optimiser, and its numbers.</param>
    /// <param name="parameters">Parameters of the model; the model keeps owning them. Move the model to its device first.</param>
    /// <exception cref="OptionsException">The name is not known, or a value cannot work or does not belong to this optimiser.</exception>
    /// <exception cref="ArgumentException">No parameter requires a gradient, or two have the same name.</exception>
    public static Optimizer Create(OptimizerOptions options, IEnumerable<NamedParameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parameters);
        return Create(options, GroupByAxes(options, parameters));
    }

    /// <summary>An optimiser over given groups, for example with a smaller rate for lower layers. Each group carries its own weight decay.</summary>
    /// <param name="options">Which optimiser, and its numbers; its weight decay is not used.</param>
    /// <param name="groups">The groups.</param>
    /// <exception cref="OptionsException">The name is not known, or a value cannot work or does not belong to this optimiser.</exception>
    /// <exception cref="ArgumentException">No parameter requires a gradient, or two have the same name.</exception>
    public static Optimizer Create(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups) => Create(options, groups, useFusedKernels: true);

    /// <summary>As the public form, with the plain path by choice.</summary>
    internal static Optimizer Create(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups, bool useFusedKernels)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groups);
        Validate(options);
        var rule = OptimizerRule.All.Single(rule => rule.Name == options.Name);
        var settings = rule.Resolve(options) with { UseFusedKernels = useFusedKernels };
        return options.Offload && groups.Any(group => group.Parameters.Any(parameter => parameter.Value.device_type != DeviceType.CPU))
            ? new OffloadedOptimizer(groups, copies => rule.Create(settings, copies))
            : rule.Create(settings, groups);
    }

    /// <summary>Checks the name and every value without making anything.</summary>
    /// <param name="options">Which optimiser, and its numbers.</param>
    /// <exception cref="OptionsException">The name is not known, or a value cannot work or does not belong to this optimiser.</exception>
    public static void Validate(OptimizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionsCheck.For(options).OneOf("name", options.Name, Names).ThrowIfAny();
        options.Validate();
        _ = OptimizerRule.All.Single(rule => rule.Name == options.Name).Resolve(options);
    }

    /// <summary>The two groups that <see cref="Create(OptimizerOptions, IEnumerable{NamedParameter})"/> makes.</summary>
    internal static IReadOnlyList<ParameterGroup> GroupByAxes(OptimizerOptions options, IEnumerable<NamedParameter> parameters)
    {
        var isDecayed = parameters.Where(p => p.Value.requires_grad).ToLookup(p => options.DecayNormsAndBiases || p.Value.dim() > 1);
        return [.. new[] { true, false }
            .Where(isDecayed.Contains)
            .Select(decayed => new ParameterGroup { Parameters = [.. isDecayed[decayed]], WeightDecay = decayed ? options.WeightDecay : 0 })];
    }
}
