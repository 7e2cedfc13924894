using System.Text.RegularExpressions;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>Which rate and decay each parameter gets: by its axes, by patterns of names, and by the depth of its layer.</summary>
internal static partial class ParameterGrouping
{
    /// <summary>The groups of a model's parameters under the options; those that require no gradient are left out.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="parameters">All parameters, in the model's order.</param>
    /// <exception cref="OptionsException">A pattern fits no parameter that is trained.</exception>
    public static IReadOnlyList<ParameterGroup> Group(OptimizerOptions options, IReadOnlyList<NamedParameter> parameters)
    {
        var trained = parameters.Where(parameter => parameter.Value.requires_grad).ToArray();
        var patterns = (options.Groups ?? []).Select(group => (Group: group, Pattern: Compile(group.Match))).ToArray();
        var unused = patterns.Where(entry => !trained.Any(parameter => entry.Pattern.IsMatch(parameter.Name))).Select(entry => entry.Group.Match).ToArray();
        if (unused.Length > 0 && trained.Length > 0)
        {
            throw new OptionsException(nameof(OptimizerOptions), [.. unused.Select(match => $"groups: no trained parameter fits '{match}'. {NearestName.Suggest(match, [.. trained.Select(parameter => parameter.Name)])}")]);
        }
        var layers = options.LayerDecay is null ? null : Layers(parameters.Select(parameter => parameter.Name));
        (double Factor, double Decay) Rates(NamedParameter parameter)
        {
            var group = patterns.FirstOrDefault(entry => entry.Pattern.IsMatch(parameter.Name)).Group;
            var decay = options.DecayNormsAndBiases || parameter.Value.dim() > 1 ? options.WeightDecay : 0;
            var depth = layers is null ? 1 : Math.Pow(options.LayerDecay!.Value, layers.Count - 1 - layers[LayerOf(parameter.Name)]);
            return ((group?.LearningRateFactor ?? 1) * depth, group?.WeightDecay ?? decay);
        }
        return [.. trained.GroupBy(Rates)
            .Select(same => new ParameterGroup { Parameters = [.. same], LearningRateFactor = same.Key.Factor, WeightDecay = same.Key.Decay })
            .OrderByDescending(group => group.WeightDecay > 0)];
    }

    /// <summary>Depth of each layer, from 0: a numbered block, or else a part of the model, in the order in which they appear.</summary>
    /// <param name="names">Names of parameters, in the model's order.</param>
    internal static Dictionary<string, int> Layers(IEnumerable<string> names)
    {
        var layers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            layers.TryAdd(LayerOf(name), layers.Count);
        }
        return layers;
    }

    /// <summary>A parameter's layer: its name up to the first number (<c>blocks.3</c>), or else up to the first dot.</summary>
    internal static string LayerOf(string name) => NumberedBlock().Match(name) is { Success: true } block ? block.Value : name.Split('.')[0];

    /// <summary>Groups of matrices that muon takes, and of what is left.</summary>
    /// <param name="groups">All groups.</param>
    /// <param name="auxiliary">Patterns and decay of what is left.</param>
    internal static (List<ParameterGroup> Matrices, List<ParameterGroup> Others) Split(IReadOnlyList<ParameterGroup> groups, AuxiliaryOptimizerOptions auxiliary)
    {
        var patterns = auxiliary.Match.Select(Compile).ToArray();
        bool IsMatrix(NamedParameter parameter) => parameter.Value.dim() > 1 && !Array.Exists(patterns, pattern => pattern.IsMatch(parameter.Name));
        (List<ParameterGroup> Matrices, List<ParameterGroup> Others) split = ([], []);
        foreach (var group in groups)
        {
            var kinds = group.Parameters.Where(parameter => parameter.Value.requires_grad).ToLookup(IsMatrix);
            if (kinds.Contains(true))
            {
                split.Matrices.Add(new() { Parameters = [.. kinds[true]], LearningRateFactor = group.LearningRateFactor, WeightDecay = group.WeightDecay });
            }
            if (kinds.Contains(false))
            {
                split.Others.Add(new() { Parameters = [.. kinds[false]], LearningRateFactor = group.LearningRateFactor, WeightDecay = group.WeightDecay == 0 ? 0 : auxiliary.WeightDecay });
            }
        }
        return split;
    }

    private static Regex Compile(string pattern)
        => new($@"\A{Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal)}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    [GeneratedRegex(@"\A(?:[^.]*\.)*?[0-9]+(?=\.)", RegexOptions.CultureInvariant)]
    private static partial Regex NumberedBlock();
}
