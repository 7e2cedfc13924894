using Nabla.Core;

namespace Nabla.Training;

/// <summary>Numbers of a <see cref="GradientScaler"/>; the defaults are PyTorch's.</summary>
public sealed record GradientScalerOptions
{
    /// <summary>First scale, above 0. Default: 65536.</summary>
    public double InitialScale { get; init; } = 65536;

    /// <summary>Factor on the scale after a number of good steps, above 1. Default: 2.</summary>
    public double GrowthFactor { get; init; } = 2;

    /// <summary>Factor on the scale after a step with an infinite or undefined gradient, in (0, 1). Default: 0.5.</summary>
    public double BackoffFactor { get; init; } = 0.5;

    /// <summary>Good steps in a row before the scale grows, at least 1. Default: 2000.</summary>
    public int GrowthInterval { get; init; } = 2000;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(InitialScale > 0 && double.IsFinite(InitialScale), $"initial_scale must be above 0; it is {InitialScale}.")
        .Require(GrowthFactor > 1 && double.IsFinite(GrowthFactor), $"growth_factor must be above 1; it is {GrowthFactor}.")
        .Require(BackoffFactor is > 0 and < 1, $"backoff_factor must be in (0, 1); it is {BackoffFactor}.")
        .Require(GrowthInterval >= 1, $"growth_interval must be at least 1; it is {GrowthInterval}.")
        .ThrowIfAny();
}

/// <summary>
/// Scales the loss so that float16 gradients do not vanish, and leaves out steps whose gradients overflowed (Micikevicius et al., 2018,
/// arXiv:1710.03740). In a step: <see cref="Scale"/> the loss, backward, <see cref="Unscale"/>, clip, <see cref="Step"/>. Not thread-safe.
/// </summary>
public sealed class GradientScaler
{
    private readonly GradientScalerOptions _options;
    private double _scale;
    private long _goodSteps;
    private bool? _isFinite;

    /// <summary>Creates a scaler.</summary>
    /// <param name="options">Its numbers; null: the defaults.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public GradientScaler(GradientScalerOptions? options = null)
    {
        _options = options ?? new();
        _options.Validate();
        _scale = _options.InitialScale;
    }

    /// <summary>The present scale.</summary>
    public double CurrentScale => _scale;

    /// <summary>The loss times the scale, in float32 at least; call backward on this.</summary>
    /// <param name="loss">The loss, <c>[]</c>.</param>
    /// <returns>A new tensor, <c>[]</c>, with its graph.</returns>
    public Tensor Scale(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return WrappedTensorDisposeScope(() => loss.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? loss.to(ScalarType.Float32) * Number.Of(_scale) : loss * Number.Of(_scale));
    }

    /// <summary>Divides the gradients by the scale and notes whether all of them are finite. Once before each <see cref="Step"/>; waits for the device.</summary>
    /// <param name="parameters">Parameters of the optimiser.</param>
    /// <returns>Whether all gradients are finite.</returns>
    /// <exception cref="InvalidOperationException">The gradients of this step are unscaled already.</exception>
    public bool Unscale(IEnumerable<Parameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (_isFinite is not null)
        {
            throw new InvalidOperationException("The gradients of this step have been divided by the scale already; call Step before the next Unscale.");
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var isFinite = true;
        foreach (var same in Gradients.Of(parameters).GroupBy(gradient => (gradient.dtype, gradient.device_type, gradient.device_index)))
        {
            var gradients = same.ToList();
            var flag = Gradients.SameKind(gradients) && FusedKernels.Support(same.Key.device_type)
                ? FusedKernels.Invoke("unscale", gradients.ToArray(), zeros([], ScalarType.Float32, gradients[0].device), full([], Number.Of(1 / _scale), ScalarType.Float32, gradients[0].device))
                : UnscalePlainly(gradients);
            isFinite &= flag.to(ScalarType.Float32).cpu().item<float>() == 0;
        }
        _isFinite = isFinite;
        return isFinite;
    }

    /// <summary>Takes the optimiser's step unless a gradient is not finite, then adapts the scale. Unscales first when that was not done.</summary>
    /// <param name="optimizer">The optimiser.</param>
    /// <returns>Whether the step was taken; a step left out leaves parameters and the optimiser's state as they were.</returns>
    public bool Step(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        var isTaken = _isFinite ?? Unscale(optimizer.Groups.SelectMany(group => group.Parameters).Select(parameter => parameter.Value));
        _isFinite = null;
        if (isTaken)
        {
            optimizer.Step();
            if (++_goodSteps == _options.GrowthInterval)
            {
                (_scale, _goodSteps) = (Math.Min(_scale * _options.GrowthFactor, float.MaxValue), 0);
            }
        }
        else
        {
            (_scale, _goodSteps) = (_scale * _options.BackoffFactor, 0);
        }
        return isTaken;
    }

    /// <summary>Named numbers that <see cref="LoadState"/> takes.</summary>
    public IReadOnlyDictionary<string, double> SaveState() => new Dictionary<string, double> { ["scale"] = _scale, ["good_steps"] = _goodSteps };

    /// <summary>Restores what <see cref="SaveState"/> gave.</summary>
    /// <param name="state">Named numbers.</param>
    /// <exception cref="CheckpointException">A number is missing or cannot be.</exception>
    public void LoadState(IReadOnlyDictionary<string, double> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!state.TryGetValue("scale", out var scale) || !(scale > 0) || !double.IsFinite(scale) || !state.TryGetValue("good_steps", out var goodSteps) || goodSteps < 0)
        {
            throw new CheckpointException("The saved state of the gradient scaler needs 'scale' above 0 and 'good_steps' of at least 0. Start with a fresh scaler, or resume from an earlier checkpoint.");
        }
        (_scale, _goodSteps, _isFinite) = (scale, (long)goodSteps, null);
    }

    private Tensor UnscalePlainly(List<Tensor> gradients)
    {
        foreach (var gradient in gradients)
        {
            gradient.mul_(Number.Of(1 / _scale));
        }
        var finite = gradients.Select(gradient => (gradient.is_sparse ? gradient.to_dense() : gradient).isfinite().all());
        return stack(finite).all().logical_not();
    }
}
