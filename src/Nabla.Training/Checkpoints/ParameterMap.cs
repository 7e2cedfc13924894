using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Says under which names a model now has the parameters that a checkpoint holds under others. Rules are <c>OLD=NEW</c>, for one parameter, or
/// <c>OLD.*=NEW.*</c> for all below a prefix; the first that fits a name counts. Immutable and thread-safe.
/// </summary>
public sealed class ParameterMap
{
    private readonly (string Old, string New, bool IsPrefix)[] _rules;

    private ParameterMap((string, string, bool)[] rules) => _rules = rules;

    /// <summary>Reads rules.</summary>
    /// <param name="rules">Texts of the form <c>OLD=NEW</c>.</param>
    /// <exception cref="OptionsException">A rule has another form; all are listed.</exception>
    public static ParameterMap Parse(IEnumerable<string> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        List<string> problems = [];
        List<(string, string, bool)> read = [];
        foreach (var rule in rules)
        {
            var parts = rule.Split('=');
            var (old, now) = (parts[0], parts.Length == 2 ? parts[1] : "");
            var prefixes = new[] { old, now }.Count(name => name.EndsWith('*'));
            if (!(old.Length > 0 && now.Length > 0 && prefixes != 1 && !old.TrimEnd('*').Contains('*', StringComparison.Ordinal) && !now.TrimEnd('*').Contains('*', StringComparison.Ordinal)))
            {
                problems.Add($"a rule must be OLD=NEW, or OLD.*=NEW.* for all names below; it is '{rule}'.");
            }
            read.Add(prefixes == 2 ? (old[..^1], now[..^1], true) : (old, now, false));
        }
        return problems.Count > 0 ? throw new OptionsException("ParameterMap", problems) : new([.. read]);
    }

    /// <summary>The name that a model has for a saved one.</summary>
    /// <param name="saved">Name in the checkpoint.</param>
    public string NameOf(string saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        foreach (var (old, now, isPrefix) in _rules)
        {
            if (isPrefix && saved.StartsWith(old, StringComparison.Ordinal))
            {
                return now + saved[old.Length..];
            }
            if (!isPrefix && saved == old)
            {
                return now;
            }
        }
        return saved;
    }

    /// <summary>Tensors under the model's names.</summary>
    /// <param name="tensors">Tensors by saved name.</param>
    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="CheckpointException">A rule fits no name, or two tensors would get the same one.</exception>
    public IReadOnlyDictionary<string, Tensor> Apply(IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        foreach (var (old, _, isPrefix) in _rules)
        {
            if (!tensors.Keys.Any(name => isPrefix ? name.StartsWith(old, StringComparison.Ordinal) : name == old))
            {
                throw new CheckpointException($"{source}: the map renames '{old}{(isPrefix ? "*" : "")}', but there is no such parameter. {NearestName.Suggest(old, [.. tensors.Keys])}".TrimEnd());
            }
        }
        return Rename(tensors, source, NameOf);
    }

    /// <summary>State of an optimiser under the model's names; its keys are <c>PARAMETER.ROLE</c>.</summary>
    internal IReadOnlyDictionary<string, Tensor> ApplyToOptimizer(IReadOnlyDictionary<string, Tensor> state, string source) => Rename(state, source, key =>
    {
        var dot = key.LastIndexOf('.');
        return dot < 0 ? key : NameOf(key[..dot]) + key[dot..];
    });

    private static Dictionary<string, Tensor> Rename(IReadOnlyDictionary<string, Tensor> tensors, string source, Func<string, string> rename)
    {
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            if (!renamed.TryAdd(rename(name), tensor))
            {
                throw new CheckpointException($"{source}: the map gives two parameters the name '{rename(name)}'. Correct the rules.");
            }
        }
        return renamed;
    }
}
