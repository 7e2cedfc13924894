using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// L1 and L2 regularisation of weights (parameters with more than one axis) as what they add to the gradient:
/// <c>l1 sign(w) + l2 w</c>, the derivative of <c>l1 |w| + l2/2 w^2</c>. Cheaper than the penalty in the graph, and the reported loss stays that of the data.
/// </summary>
internal sealed class WeightPenalty(RegularizationOptions options, IReadOnlyList<NamedParameter> parameters)
{
    private readonly Parameter[] _weights = [.. parameters.Select(parameter => parameter.Value).Where(parameter => parameter.requires_grad && parameter.dim() > 1)];

    /// <summary>The penalty itself, for rules that search along the loss. Waits for the device.</summary>
    public double Value()
    {
        if (options is { L1: 0, L2: 0 })
        {
            return 0;
        }
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return _weights.Sum(weight => (options.L1 * weight.abs().sum().to(ScalarType.Float64).item<double>()) + (options.L2 / 2 * weight.square().sum().to(ScalarType.Float64).item<double>()));
    }

    /// <summary>Adds the penalty's gradient to those of the loss; a weight without a gradient is left alone.</summary>
    public void AddToGradients()
    {
        if (options is { L1: 0, L2: 0 })
        {
            return;
        }
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var weight in _weights)
        {
            if (weight.grad is not { } gradient)
            {
                continue;
            }
            if (options.L2 > 0)
            {
                gradient.add_(weight, alpha: Number.Of(options.L2));
            }
            if (options.L1 > 0)
            {
                gradient.add_(weight.sign(), alpha: Number.Of(options.L1));
            }
        }
    }
}
