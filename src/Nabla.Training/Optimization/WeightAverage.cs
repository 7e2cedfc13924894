using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// A running average of a model's parameters, <c>average += (1 - decay) * (parameter - average)</c>, with a copy of its buffers as they were at
/// the last update (Polyak and Juditsky, 1992). The average is often better than the last weights; <see cref="Apply"/> puts it into the model
/// for an evaluation. It owns the average; the model owns its parameters. Not thread-safe.
/// </summary>
/// <remarks>Averages of half-precision parameters are kept in float32: in their own type small updates would be lost.</remarks>
public sealed class WeightAverage : IDisposable
{
    private readonly WeightAverageOptions _options;
    private readonly (string Name, Tensor Value, Tensor Average)[] _parameters, _buffers;
    private long _updates;
    private bool _isApplied;

    /// <summary>Averages all parameters and buffers of a model, trained or frozen.</summary>
    /// <param name="module">The model, already on its device.</param>
    /// <param name="options">Decay and warm-up.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public WeightAverage(Module module, WeightAverageOptions options)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        using var noGradients = no_grad();
        _parameters = [.. module.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter, Copy(pair.parameter)))];
        _buffers = [.. module.named_buffers().Select(pair => (pair.name, pair.buffer, Copy(pair.buffer, keepType: true)))];
    }

    /// <summary>Updates so far.</summary>
    public long Updates => _updates;

    /// <summary>Whether the model holds the average now.</summary>
    public bool IsApplied => _isApplied;

    /// <summary>
    /// The averaged model's state by key, as <c>state_dict</c> has it: what is evaluated and served. Before the first update it is the model as
    /// it was given. The average keeps owning the tensors.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State
        => _parameters.Concat(_buffers).ToDictionary(entry => entry.Name, entry => entry.Average, StringComparer.Ordinal);

    /// <summary>Takes in the model's present weights; call it after each optimiser step. The first update copies.</summary>
    /// <exception cref="InvalidOperationException">The model holds the average: end <see cref="Apply"/> first.</exception>
    public void Update()
    {
        ThrowIfApplied("update the average");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var share = 1 - _options.DecayAt(_updates);
        foreach (var same in _parameters.GroupBy(entry => (entry.Average.dtype, entry.Average.device_type, entry.Average.device_index)))
        {
            var averages = same.Select(entry => entry.Average).ToArray();
            var values = same.Select(entry => entry.Value.dtype == entry.Average.dtype ? entry.Value.detach() : entry.Value.to(entry.Average.dtype)).ToArray();
            if (FusedKernels.Support(same.Key.device_type))
            {
                FusedKernels.Invoke("approach", averages, values, share);
                continue;
            }
            foreach (var (average, value) in averages.Zip(values))
            {
                average.add_(value.sub(average), alpha: Number.Of(share));
            }
        }
        foreach (var (_, value, average) in _buffers)
        {
            average.copy_(value);
        }
        _updates++;
    }

    /// <summary>Copies the model's present weights and buffers without counting an update: an average that has not begun.</summary>
    internal void Follow()
    {
        ThrowIfApplied("copy the weights");
        using var noGradients = no_grad();
        foreach (var (_, value, average) in _parameters.Concat(_buffers))
        {
            average.copy_(value);
        }
    }

    /// <summary>Takes the buffers of a model that holds the average, such as statistics computed for it.</summary>
    internal void KeepBuffers()
    {
        using var noGradients = no_grad();
        foreach (var (_, value, average) in _buffers)
        {
            average.copy_(value);
        }
    }

    /// <summary>
    /// Puts the average into the model until the result is disposed, then the model's own weights come back, bit for bit. Evaluate in between;
    /// what buffers the model changes meanwhile are put back too.
    /// </summary>
    /// <returns>Ends the use of the average.</returns>
    /// <exception cref="InvalidOperationException">The model holds the average already.</exception>
    public IDisposable Apply()
    {
        ThrowIfApplied("apply it again");
        var all = _parameters.Concat(_buffers).ToArray();
        using var noGradients = no_grad();
        var own = Array.ConvertAll(all, entry => Copy(entry.Value, keepType: true));
        foreach (var (_, value, average) in all)
        {
            value.copy_(average);
        }
        _isApplied = true;
        return new Application(this, [.. all.Select(entry => entry.Value)], own);
    }

    /// <summary>What <see cref="LoadState"/> takes to go on: <see cref="State"/> and the number of updates under <c>updates</c>, int64 <c>[]</c>.</summary>
    /// <returns>New tensors under keys of <see cref="State"/> with the prefix <c>average.</c>, and <c>updates</c>; the caller owns them.</returns>
    public IReadOnlyDictionary<string, Tensor> SaveState()
    {
        using var noGradients = no_grad();
        var saved = State.ToDictionary(entry => "average." + entry.Key, entry => entry.Value.clone(), StringComparer.Ordinal);
        saved["updates"] = tensor(_updates);
        return saved;
    }

    /// <summary>Takes over copies of what <see cref="SaveState"/> gave.</summary>
    /// <param name="state">Tensors by key.</param>
    /// <exception cref="CheckpointException">Keys or shapes do not fit; all differences are listed.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var own = State.ToDictionary(entry => "average." + entry.Key, entry => entry.Value, StringComparer.Ordinal);
        List<string> differences =
        [
            .. own.Keys.Append("updates").Where(key => !state.ContainsKey(key)).Select(key => $"'{key}' is missing"),
            .. state.Keys.Where(key => key != "updates" && !own.ContainsKey(key)).Select(key => $"'{key}' is not part of this model"),
            .. own.Where(entry => state.TryGetValue(entry.Key, out var saved) && !saved.Sizes().AsSpan().SequenceEqual(entry.Value.Sizes()))
                .Select(entry => $"'{entry.Key}' has shape {ShapeException.Format(state[entry.Key].Sizes())}, expected {ShapeException.Format(entry.Value.Sizes())}"),
            .. state.TryGetValue("updates", out var count) && count.numel() != 1 ? [$"'updates' has shape {ShapeException.Format(count.Sizes())}, expected []"] : Array.Empty<string>(),
        ];
        if (differences.Count > 0)
        {
            throw new CheckpointException($"The saved weight average does not fit this model ({differences.Count} differences): {string.Join("; ", differences)}. Resume with the model that wrote it.");
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (key, average) in own)
        {
            average.copy_(state[key]);
        }
        _updates = state["updates"].to(ScalarType.Int64).cpu().item<long>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, _, average) in _parameters.Concat(_buffers))
        {
            average.Dispose();
        }
    }

    private static Tensor Copy(Tensor value, bool keepType = false)
    {
        using var scope = NewDisposeScope();
        var isHalf = value.dtype is ScalarType.Float16 or ScalarType.BFloat16;
        return value.detach().to(isHalf && !keepType ? ScalarType.Float32 : value.dtype, copy: true).DetachFromDisposeScope();
    }

    private void ThrowIfApplied(string what)
    {
        if (_isApplied)
        {
            throw new InvalidOperationException($"The model holds the average of its weights now; dispose what Apply returned before you {what}.");
        }
    }

    private sealed class Application(WeightAverage average, Tensor[] values, Tensor[] own) : IDisposable
    {
        private bool _isOver;

        public void Dispose()
        {
            if (_isOver)
            {
                return;
            }
            _isOver = true;
            using (no_grad())
            {
                foreach (var (value, saved) in values.Zip(own))
                {
                    value.copy_(saved);
                    saved.Dispose();
                }
            }
            average._isApplied = false;
        }
    }
}
