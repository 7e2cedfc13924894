using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// L-BFGS: steps along an estimate of Newton's direction from the last few changes of gradient and place, with a rate or a line search by the
/// strong Wolfe conditions (Nocedal and Wright, 2006, algorithms 7.4, 3.5 and 3.6; the details are PyTorch's). For small models and whole batches:
/// noise in the gradients breaks the estimate. It computes the loss several times a step and takes one group of parameters.
/// </summary>
internal sealed class LbfgsOptimizer : Optimizer
{
    private const double SmallestCurvature = 1e-10; // as in PyTorch: below it a pair says nothing
    private const string Direction = "@direction", PreviousGradient = "@previous_gradient", GradientChanges = "@gradient_changes", Moves = "@moves", Inverses = "@inverse_products";
    private const int Length = 0, Scale = 1, PreviousLoss = 2, Iterations = 3, Evaluations = 4;
    private readonly OptimizerSettings _settings;
    private readonly FlatParameters _flat;
    private readonly SharedState _shared = new("step_length", "scale", "previous_loss", "iterations", "evaluations");
    private readonly List<Tensor> _changes = [], _moves = [], _stacked = [], _retired = [];
    private readonly List<double> _inverses = [];
    private readonly int _history, _maxIterations, _maxEvaluations;
    private readonly double _gradientTolerance, _changeTolerance;
    private Tensor? _direction, _previousGradient;

    public LbfgsOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    {
        if (groups.Any(group => group.LearningRateFactor != 1 || group.WeightDecay != 0))
        {
            throw new ArgumentException("lbfgs moves all parameters together: it takes no groups with a rate or a weight decay of their own.", nameof(groups));
        }
        (_settings, LearningRate, Groups) = (settings, settings.LearningRate, groups);
        _flat = new([.. groups.SelectMany(group => group.Parameters).Where(parameter => parameter.Value.requires_grad)]);
        _history = (int)settings.Extra["history_size"];
        _maxIterations = (int)settings.Extra["max_iter"];
        _maxEvaluations = settings.Extra["max_eval"] is > 0 and var evaluations ? (int)evaluations : _maxIterations * 5 / 4;
        (_gradientTolerance, _changeTolerance) = (settings.Extra["tolerance_grad"], settings.Extra["tolerance_change"]);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterGroup> Groups { get; }

    /// <inheritdoc/>
    public override bool NeedsClosure => true;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            if (!_shared.HasState)
            {
                return state;
            }
            foreach (var (key, value) in _shared.Tensors)
            {
                state[key] = value;
            }
            FreeStacked();
            using var noGradients = no_grad();
            Tensor Keep(Tensor tensor)
            {
                _stacked.Add(tensor.DetachFromDisposeScope());
                return tensor;
            }
            if (_direction is not null && _previousGradient is not null)
            {
                (state[Direction], state[PreviousGradient]) = (_direction, _previousGradient);
            }
            if (_changes.Count > 0)
            {
                (state[GradientChanges], state[Moves], state[Inverses]) = (Keep(stack(_changes)), Keep(stack(_moves)), Keep(tensor(_inverses.ToArray())));
            }
            return state;
        }
    }

    /// <inheritdoc/>
    public override void ZeroGradients() => _flat.ZeroGradients();

    /// <inheritdoc/>
    public override void Step() => throw new InvalidOperationException("lbfgs computes the loss several times a step: call Step(closure) with a closure that clears the gradients, runs forward and backward, and returns the loss.");

    /// <inheritdoc/>
    public override double Step(Func<double> closure)
    {
        ArgumentNullException.ThrowIfNull(closure);
        using var scope = NewDisposeScope();
        var before = Here();
        try
        {
            var loss = Iterate(closure);
            FreeRetired();
            return loss;
        }
        catch
        {
            Return(before); // half a line search is no place to go on from
            throw;
        }
    }

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        string[] known = [.. _shared.Keys, Direction, PreviousGradient, GradientChanges, Moves, Inverses];
        var pairs = state.TryGetValue(Inverses, out var inverses) ? inverses.numel() : 0;
        (string Key, long[] Shape)[] shapes = [(Direction, [_flat.Count]), (PreviousGradient, [_flat.Count]), (GradientChanges, [pairs, _flat.Count]), (Moves, [pairs, _flat.Count])];
        var differences = state.Keys.Where(key => !known.Contains(key)).Select(key => $"'{key}' is not part of this optimiser")
            .Concat(state.Count > 0 ? _shared.Differences(state) : [])
            .Concat(shapes.Where(entry => state.TryGetValue(entry.Key, out var saved) && !saved.Sizes().AsSpan().SequenceEqual(entry.Shape))
                .Select(entry => $"'{entry.Key}' has shape {ShapeException.Format(state[entry.Key].Sizes())}, expected {ShapeException.Format(entry.Shape)}"))
            .Concat(pairs > _history ? [$"'{Inverses}' holds {pairs} pairs, more than history_size {_history}"] : [])
            .Concat(new[] { GradientChanges, Moves }.Where(key => pairs > 0 != state.ContainsKey(key)).Select(key => $"'{key}' is {(pairs > 0 ? "missing" : "not expected")}"))
            .Concat(state.ContainsKey(Direction) != state.ContainsKey(PreviousGradient) ? ["direction and previous_gradient belong together"] : Array.Empty<string>())
            .ToList();
        if (differences.Count > 0)
        {
            throw new CheckpointException($"The saved optimiser state does not fit lbfgs and this model ({differences.Count} differences): {string.Join("; ", differences)}. Resume with the optimiser and the model that wrote it, or start with a fresh optimiser.");
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        FreeHistory();
        _shared.Load(state);
        Tensor Own(Tensor saved) => saved.to(_flat.Type, _flat.Device, copy: true).DetachFromDisposeScope();
        (_direction, _previousGradient) = state.TryGetValue(Direction, out var direction) ? (Own(direction), Own(state[PreviousGradient])) : (null, null);
        for (var i = 0; i < pairs; i++)
        {
            _changes.Add(Own(state[GradientChanges][i]));
            _moves.Add(Own(state[Moves][i]));
            _inverses.Add(inverses![i].to(ScalarType.Float64).item<double>());
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            FreeHistory();
            FreeStacked();
            _shared.Dispose();
        }
    }

    private double Iterate(Func<double> closure)
    {
        var first = closure();
        _shared.Values[Evaluations]++;
        using var noGradients = no_grad();
        var (loss, evaluations) = (first, 1);
        var gradient = _flat.Gradient();
        var isDone = Largest(gradient) <= _gradientTolerance;
        for (var iteration = 1; iteration <= _maxIterations && !isDone; iteration++)
        {
            var isFirst = ++_shared.Values[Iterations] == 1;
            Replace(ref _direction, isFirst ? gradient.neg() : NewtonDirection(gradient));
            Replace(ref _previousGradient, gradient.clone());
            var previousLoss = _shared.Values[PreviousLoss] = loss;
            var length = isFirst ? Math.Min(1, 1 / ValueOf(gradient.abs().sum())) * LearningRate : LearningRate;
            var slope = ValueOf(gradient.dot(_direction!));
            _shared.Values[Length] = length;
            if (slope > -_changeTolerance)
            {
                break;
            }
            if (_settings.Is("strong_wolfe"))
            {
                var found = StrongWolfe.Search(place => Evaluate(closure, place), length, _direction!, loss, gradient, slope);
                (loss, gradient, length) = (found.Loss, found.Gradient, found.Length);
                _flat.Move(_direction!, length);
                Count(found.Evaluations);
            }
            else
            {
                _flat.Move(_direction!, length);
                if (iteration < _maxIterations)
                {
                    (loss, gradient) = Compute(closure);
                    Count(1);
                }
            }
            _shared.Values[Length] = length;
            isDone = evaluations >= _maxEvaluations || Largest(gradient) <= _gradientTolerance
                || Largest(_direction!) * Math.Abs(length) <= _changeTolerance || Math.Abs(loss - previousLoss) < _changeTolerance;
        }
        return first;

        void Count(int more)
        {
            evaluations += more;
            _shared.Values[Evaluations] += more;
        }
    }

    /// <summary>The two loops of the recursion, after the newest pair is taken in.</summary>
    private Tensor NewtonDirection(Tensor gradient)
    {
        var change = gradient.sub(_previousGradient!);
        var move = _direction!.mul(Number.Of(_shared.Values[Length]));
        var product = ValueOf(change.dot(move));
        if (product > SmallestCurvature)
        {
            if (_changes.Count == _history)
            {
                _retired.Add(_changes[0]);
                _retired.Add(_moves[0]);
                _changes.RemoveAt(0);
                _moves.RemoveAt(0);
                _inverses.RemoveAt(0);
            }
            _shared.Values[Scale] = product / ValueOf(change.dot(change));
            _changes.Add(change.DetachFromDisposeScope());
            _moves.Add(move.DetachFromDisposeScope());
            _inverses.Add(1 / product);
        }
        var scale = _changes.Count == 0 && _shared.Values[Scale] == 0 ? 1 : _shared.Values[Scale];
        var shares = new double[_changes.Count];
        var q = gradient.neg();
        for (var i = _changes.Count - 1; i >= 0; i--)
        {
            shares[i] = ValueOf(_moves[i].dot(q)) * _inverses[i];
            q.add_(_changes[i], alpha: Number.Of(-shares[i]));
        }
        q.mul_(Number.Of(scale));
        for (var i = 0; i < _changes.Count; i++)
        {
            q.add_(_moves[i], alpha: Number.Of(shares[i] - (ValueOf(_changes[i].dot(q)) * _inverses[i])));
        }
        return q;
    }

    private (double Loss, Tensor Gradient) Evaluate(Func<double> closure, double length)
    {
        var start = _flat.Values();
        _flat.Move(_direction!, length);
        var result = Compute(closure);
        _flat.Set(start);
        return result;
    }

    private (double Loss, Tensor Gradient) Compute(Func<double> closure)
    {
        double loss;
        using (enable_grad())
        {
            loss = closure();
        }
        return (loss, _flat.Gradient());
    }

    private static double ValueOf(Tensor scalar) => scalar.to(ScalarType.Float64).item<double>();

    private static double Largest(Tensor tensor) => ValueOf(tensor.abs().max());

    /// <summary>What is replaced in a step is freed when the step has succeeded: a failing closure must find it again.</summary>
    private void Replace(ref Tensor? field, Tensor value)
    {
        if (field is not null)
        {
            _retired.Add(field);
        }
        field = value.DetachFromDisposeScope();
    }

    private Place Here()
    {
        using var noGradients = no_grad();
        return new(_flat.Values(), _direction, _previousGradient, [.. _changes], [.. _moves], [.. _inverses], [.. _shared.Values]);
    }

    private void Return(Place place)
    {
        using var noGradients = no_grad();
        _flat.Set(place.Values);
        Tensor?[] before = [place.Direction, place.PreviousGradient, .. place.Changes, .. place.Moves];
        foreach (var made in _changes.Concat(_moves).Append(_direction).Append(_previousGradient).Concat(_retired).Where(tensor => tensor is not null && !Array.Exists(before, old => ReferenceEquals(old, tensor))).ToArray())
        {
            made!.Dispose();
        }
        _retired.Clear();
        (_direction, _previousGradient) = (place.Direction, place.PreviousGradient);
        Set(_changes, place.Changes);
        Set(_moves, place.Moves);
        Set(_inverses, place.Inverses);
        place.Shared.CopyTo(_shared.Values, 0);

        static void Set<T>(List<T> list, T[] items)
        {
            list.Clear();
            list.AddRange(items);
        }
    }

    private void FreeRetired()
    {
        foreach (var tensor in _retired)
        {
            tensor.Dispose();
        }
        _retired.Clear();
    }

    private sealed record Place(Tensor Values, Tensor? Direction, Tensor? PreviousGradient, Tensor[] Changes, Tensor[] Moves, double[] Inverses, double[] Shared);

    private void FreeHistory()
    {
        foreach (var tensor in _changes.Concat(_moves))
        {
            tensor.Dispose();
        }
        _changes.Clear();
        _moves.Clear();
        _inverses.Clear();
        _direction?.Dispose();
        _previousGradient?.Dispose();
        (_direction, _previousGradient) = (null, null);
    }

    private void FreeStacked()
    {
        foreach (var tensor in _stacked)
        {
            tensor.Dispose();
        }
        _stacked.Clear();
    }
}
