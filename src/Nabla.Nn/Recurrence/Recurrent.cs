using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Stacked recurrent layers, batch first, with true lengths: padding neither reaches the outputs nor the final state, in either
/// direction. Sources: Hochreiter and Schmidhuber (1997) for the LSTM, Cho et al. (2014), arXiv:1406.1078, for the GRU.
/// Keys and numbers as in PyTorch's LSTM, GRU and RNN (<c>weight_ih_l0</c>, gates in the order input, forget, cell, output or
/// reset, update, new).
/// </summary>
public sealed class Recurrent : Module<Tensor, Tensor?, RecurrentState?, RecurrentOutput>, IWorkModule
{
    private readonly RecurrentOptions _options;
    private readonly string[] _weightNames;

    /// <summary>Creates the layers with weights uniform in +- 1 / sqrt(hidden), as PyTorch does.</summary>
    /// <param name="options">Size and kind.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public Recurrent(RecurrentOptions options)
        : base(nameof(Recurrent))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var bound = 1 / Math.Sqrt(options.HiddenFeatures);
        List<string> names = [];
        foreach (var (name, shape) in WeightShapes(options))
        {
            register_parameter(name, torch.empty(shape).uniform_(-bound, bound).AsOwnedParameter());
            names.Add(name);
        }
        _weightNames = [.. names];
        RegisterComponents();
    }

    /// <summary>Size of the last axis of the outputs.</summary>
    public int OutputFeatures => _options.Directions * _options.OutputFeatures;

    /// <inheritdoc/>
    public WorkKind Work => _options.Cell == "lstm" ? WorkKind.Recurrence : WorkKind.OtherRecurrence;

    /// <summary>Runs the layers.</summary>
    /// <param name="x"><c>[batch, time, inputFeatures]</c>.</param>
    /// <param name="lengths">Real steps of each sequence, int64, <c>[batch]</c>, each in [1, time]; null: all are whole.</param>
    /// <param name="state">Where to start; null: zeros.</param>
    /// <returns>Outputs and final state; the caller owns both.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">A length is outside [1, time].</exception>
    public override RecurrentOutput forward(Tensor x, Tensor? lengths, RecurrentState? state)
    {
        var shape = x.Sizes();
        if (shape.Length != 3 || shape[2] != _options.InputFeatures || shape[1] == 0)
        {
            throw new ShapeException("Recurrent.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[batch, time, features={_options.InputFeatures}] with at least one step"), shape);
        }
        using var scope = NewDisposeScope();
        var hostLengths = lengths is null ? null : CheckLengths(lengths, shape);
        var (hidden, memory) = Start(x, state);
        var weights = Array.ConvertAll(_weightNames, name => (Tensor)get_parameter(name)!);
        var (outputs, lastHidden, lastMemory) = RecurrentOps.Run(_options.Cell, x, hostLengths, hidden, memory, weights,
            _options.UseBias, _options.Layers, _options.Dropout, training, _options.IsBidirectional);
        return new(outputs.MoveToOuterDisposeScope(), new RecurrentState(lastHidden, lastMemory).MoveToOuterDisposeScope());
    }

    /// <summary>Runs the layers on whole or padded sequences from a zero state.</summary>
    /// <param name="x"><c>[batch, time, inputFeatures]</c>.</param>
    /// <param name="lengths">Real steps of each sequence, or null.</param>
    public RecurrentOutput call(Tensor x, Tensor? lengths = null) => call(x, lengths, null);

    private static IEnumerable<(string Name, long[] Shape)> WeightShapes(RecurrentOptions options)
    {
        long rows = options.Gates * options.HiddenFeatures;
        for (var layer = 0; layer < options.Layers; layer++)
        {
            long inputs = layer == 0 ? options.InputFeatures : options.Directions * options.OutputFeatures;
            for (var direction = 0; direction < options.Directions; direction++)
            {
                var suffix = string.Create(CultureInfo.InvariantCulture, $"_l{layer}{(direction == 0 ? "" : "_reverse")}");
                yield return ("weight_ih" + suffix, [rows, inputs]);
                yield return ("weight_hh" + suffix, [rows, options.OutputFeatures]);
                if (options.UseBias)
                {
                    yield return ("bias_ih" + suffix, [rows]);
                    yield return ("bias_hh" + suffix, [rows]);
                }
                if (options.ProjectionFeatures is { } projection)
                {
                    yield return ("weight_hr" + suffix, [projection, options.HiddenFeatures]);
                }
            }
        }
    }

    private (Tensor Hidden, Tensor? Memory) Start(Tensor x, RecurrentState? state)
    {
        long count = _options.Layers * _options.Directions, batch = x.Sizes()[0];
        if (state is null)
        {
            return (torch.zeros([count, batch, _options.OutputFeatures], x.dtype, x.device),
                _options.Cell == "lstm" ? torch.zeros([count, batch, _options.HiddenFeatures], x.dtype, x.device) : null);
        }
        Require(state.Hidden, _options.OutputFeatures, "state.Hidden");
        if (_options.Cell == "lstm")
        {
            Require(state.Memory ?? throw new ArgumentException("Recurrent.forward: an lstm needs a state with Memory.", nameof(state)), _options.HiddenFeatures, "state.Memory");
        }
        return (state.Hidden, _options.Cell == "lstm" ? state.Memory : null);

        void Require(Tensor part, long features, string name)
        {
            if (part.Sizes() is not [var c, var b, var f] || c != count || b != batch || f != features)
            {
                throw new ShapeException("Recurrent.forward", name, string.Create(CultureInfo.InvariantCulture, $"[layers * directions={count}, batch={batch}, hidden={features}]"), part.Sizes());
            }
        }
    }

    private static Tensor CheckLengths(Tensor lengths, long[] shape)
    {
        if (lengths.Sizes() is not [var batch] || batch != shape[0])
        {
            throw new ShapeException("Recurrent.forward", nameof(lengths), string.Create(CultureInfo.InvariantCulture, $"[batch={shape[0]}]"), lengths.Sizes());
        }
        var host = lengths.to(ScalarType.Int64).cpu();
        foreach (var length in host.data<long>())
        {
            if (length < 1 || length > shape[1])
            {
                throw new DataException(string.Create(CultureInfo.InvariantCulture, $"Recurrent.forward: a length is {length}; it must lie in [1, time={shape[1]}]. Leave empty sequences out."));
            }
        }
        return host;
    }
}
