using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Sharpness-aware minimisation around any optimiser: <see cref="Gradients"/> gives the parameters the gradient at
/// <c>p + e, e = rho s^2 g / (|s g| + 1e-12)</c> with s = 1, or |p| when adaptive; the norm is over all parameters together. The optimiser then
/// steps from p. Owns what it keeps between; the model owns the parameters. Not thread-safe.
/// </summary>
public sealed class SharpnessAware : IDisposable
{
    private const double Smallest = 1e-12; // as in the authors' code
    private readonly Parameter[] _parameters;
    private readonly SamOptions _options;
    private readonly List<(Parameter Parameter, Tensor Value)> _places = [];

    /// <summary>Works on parameters.</summary>
    /// <param name="parameters">All parameters that are trained.</param>
    /// <param name="options">How far to look.</param>
    /// <exception cref="Nabla.Core.OptionsException">A value cannot work.</exception>
    public SharpnessAware(IEnumerable<NamedParameter> parameters, SamOptions options)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_parameters, _options) = ([.. parameters.Select(parameter => parameter.Value).Where(parameter => parameter.requires_grad)], options);
    }

    /// <summary>The two passes: gradients here, and then those at the worst place nearby, which stay for the optimiser.</summary>
    /// <param name="compute">Clears the gradients, runs forward and backward on the same batch, and returns the loss. What it throws comes through; the parameters are then where they were.</param>
    /// <returns>The loss at the parameters themselves.</returns>
    public double Gradients(Func<double> compute)
    {
        ArgumentNullException.ThrowIfNull(compute);
        var loss = compute();
        Climb();
        try
        {
            compute();
        }
        finally
        {
            Return();
        }
        return loss;
    }

    /// <summary>Moves the parameters by their present gradients to the worst place nearby. Those without a gradient stay.</summary>
    /// <exception cref="InvalidOperationException">They are there already.</exception>
    public void Climb()
    {
        if (_places.Count > 0)
        {
            throw new InvalidOperationException("The parameters are at the worst place nearby already; call Return before the next Climb.");
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var moved = _parameters.Select(parameter => (Parameter: parameter, Gradient: parameter.grad!)).Where(pair => pair.Gradient is not null)
            .Select(pair => (pair.Parameter, Gradient: pair.Gradient.is_sparse ? pair.Gradient.to_dense() : pair.Gradient)).ToArray();
        if (moved.Length == 0)
        {
            return;
        }
        var first = moved[0].Gradient;
        var norms = moved.Select(pair => linalg.vector_norm(_options.Adaptive ? pair.Parameter.abs().mul_(pair.Gradient) : pair.Gradient).to(first.dtype, first.device));
        var scale = Number.Of(_options.Rho) / (linalg.vector_norm(stack([.. norms])) + Number.Of(Smallest)); // [], stays on the device
        foreach (var (parameter, gradient) in moved)
        {
            _places.Add((parameter, parameter.detach().clone().DetachFromDisposeScope()));
            var direction = _options.Adaptive ? parameter.square().mul_(gradient) : gradient;
            parameter.add_(direction.mul(scale.to(parameter.dtype, parameter.device)));
        }
    }

    /// <summary>Puts the parameters back, bit for bit; their gradients stay.</summary>
    public void Return()
    {
        using var noGradients = no_grad();
        foreach (var (parameter, value) in _places)
        {
            parameter.copy_(value);
            value.Dispose();
        }
        _places.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Return();
}
