namespace Nabla.Training;

/// <summary>A parameter as an optimiser sees it.</summary>
/// <param name="Name">Its key in the model's state, unique.</param>
/// <param name="Value">The parameter; the model owns it.</param>
public readonly record struct NamedParameter(string Name, Parameter Value);

/// <summary>Parameters that share a rate factor and a weight decay.</summary>
public sealed class ParameterGroup
{
    /// <summary>The parameters.</summary>
    public required IReadOnlyList<NamedParameter> Parameters { get; init; }

    /// <summary>Factor on the optimiser's learning rate. Default: 1.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Weight decay of this group.</summary>
    public double WeightDecay { get; init; }
}

/// <summary>
/// Changes parameters by their gradients. Only parameters that require a gradient are taken, and state is made for those only.
/// It owns its state; the model owns the parameters. Not thread-safe.
/// </summary>
public abstract class Optimizer : IDisposable
{
    /// <summary>The groups of parameters.</summary>
    public abstract IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The current learning rate, before the groups' factors. A schedule sets it before each step.</summary>
    public virtual double LearningRate { get; set; }

    /// <summary>
    /// Momentum (SGD, RMSprop) or decay of the first moment (Adam family, Lion, LAMB), in [0, 1); null where the optimiser has none.
    /// A one-cycle or cyclic schedule sets it before each step; setting it where there is none, or to null, does nothing.
    /// </summary>
    public virtual double? Momentum
    {
        get => null;
        set { }
    }

    /// <summary>Whether a step needs to compute the loss again (L-BFGS): then <see cref="Step(Func{double})"/> must be used.</summary>
    public virtual bool NeedsClosure => false;

    /// <summary>
    /// Whether the rule has an average of the weights of its own (Schedule-Free, ASGD), which is what should be evaluated and served;
    /// <see cref="CopyAverage"/> gives it.
    /// </summary>
    public virtual bool HasAverage => false;

    /// <summary>Forgets all gradients (they become null, not zero).</summary>
    public abstract void ZeroGradients();

    /// <summary>One step. A parameter without a gradient stays, its state too; a zero gradient is a gradient.</summary>
    public abstract void Step();

    /// <summary>One step that may compute loss and gradients several times.</summary>
    /// <param name="closure">
    /// Clears the gradients, runs forward and backward on the same batch, and returns the loss. What it throws comes through unchanged, and the
    /// parameters and the state are then as they were before the step.
    /// </param>
    /// <returns>The loss before the step.</returns>
    public virtual double Step(Func<double> closure)
    {
        ArgumentNullException.ThrowIfNull(closure);
        var loss = closure();
        Step();
        return loss;
    }

    /// <summary>Writes the rule's own average of the weights, where it has one.</summary>
    /// <param name="targets">Tensors by parameter name that take the average; names that are not this optimiser's are left alone.</param>
    /// <exception cref="InvalidOperationException">The rule has no average (<see cref="HasAverage"/>).</exception>
    public virtual void CopyAverage(IReadOnlyDictionary<string, Tensor> targets)
        => throw new InvalidOperationException("This optimiser keeps no average of the weights. Ask HasAverage first, or average them with WeightAverage.");

    /// <summary>All state as tensors by key, <c>parameter name.role</c> (such as <c>conv1.weight.first_moment</c>, step counts included). The optimiser keeps owning them.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Takes over copies of a state saved from <see cref="State"/>.</summary>
    /// <param name="state">Tensors by key.</param>
    /// <exception cref="Nabla.Core.CheckpointException">Keys or shapes do not fit; all differences are listed.</exception>
    public abstract void LoadState(IReadOnlyDictionary<string, Tensor> state);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the state.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
