using Nabla.Core;

namespace Nabla.Training;

/// <summary>The state of a module (parameters and saved buffers) by key, and its way back.</summary>
public static class ModuleState
{
    /// <summary>Parameters and saved buffers by key. The module keeps owning them.</summary>
    /// <param name="module">The module.</param>
    public static IReadOnlyDictionary<string, Tensor> Collect(Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.state_dict();
    }

    /// <summary>Parameters by key. The module keeps owning them.</summary>
    /// <param name="module">The module.</param>
    public static IReadOnlyList<NamedParameter> Parameters(Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return [.. module.named_parameters().Select(pair => new NamedParameter(pair.name, pair.parameter))];
    }

    /// <summary>Copies tensors into a module. Nothing is changed when any does not fit.</summary>
    /// <param name="module">The module; it keeps its device and types.</param>
    /// <param name="tensors">Tensors by key; the caller keeps owning them.</param>
    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="CheckpointException">Keys are missing or unknown, or shapes or kinds of type differ; all differences are listed.</exception>
    public static void Load(Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var state = Collect(module);
        List<string> problems = [];
        foreach (var (name, own) in state)
        {
            if (!tensors.TryGetValue(name, out var saved))
            {
                problems.Add($"'{name}' is missing");
            }
            else if (!saved.Sizes().AsSpan().SequenceEqual(own.Sizes()))
            {
                problems.Add($"'{name}': expected {ShapeException.Format(own.Sizes())}, got {ShapeException.Format(saved.Sizes())}");
            }
            else if (torch.is_floating_point(saved) != torch.is_floating_point(own))
            {
                problems.Add($"'{name}': expected {own.dtype}, got {saved.dtype}");
            }
        }
        problems.AddRange(tensors.Keys.Where(name => !state.ContainsKey(name)).Select(name => $"'{name}' is not part of the model. {NearestName.Suggest(name, [.. state.Keys])}".TrimEnd()));
        if (problems.Count > 0)
        {
            const int Shown = 20;
            var more = problems.Count > Shown ? $"; and {problems.Count - Shown} more" : "";
            var renamed = Renamed(state, tensors) is { Length: > 0 } rules ? $" If parameters were renamed, say so: {rules} (nabla train --resume RUN --map OLD=NEW, or a ParameterMap)." : "";
            throw new CheckpointException($"{source}: the weights do not fit the model, {problems.Count} differences: {string.Join("; ", problems.Take(Shown))}{more}. Build the model with the options it was saved with.{renamed}");
        }
        using var noGradient = torch.no_grad();
        foreach (var (name, own) in state)
        {
            own.copy_(tensors[name]);
        }
    }

    /// <summary>Rules that a map may need: a missing name and an extra one that end alike and have the same shape.</summary>
    private static string Renamed(IReadOnlyDictionary<string, Tensor> own, IReadOnlyDictionary<string, Tensor> saved)
    {
        var missing = own.Where(entry => !saved.ContainsKey(entry.Key)).ToList();
        var extra = saved.Where(entry => !own.ContainsKey(entry.Key)).ToDictionary(StringComparer.Ordinal);
        List<string> rules = [];
        foreach (var (name, tensor) in missing)
        {
            var old = extra.FirstOrDefault(entry => entry.Key.Split('.')[^1] == name.Split('.')[^1] && entry.Value.Sizes().AsSpan().SequenceEqual(tensor.Sizes())).Key;
            if (old is not null)
            {
                extra.Remove(old);
                rules.Add($"{old}={name}");
            }
        }
        return string.Join(" ", rules.Take(5));
    }
}
