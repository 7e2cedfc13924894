namespace Nabla.Training;

/// <summary>The numbers of one optimiser after defaults are filled in; what <see cref="OptimizerOptions"/> says, resolved by its rule.</summary>
internal sealed record OptimizerSettings
{
    /// <summary>Learning rate before the groups' factors.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Decay rates of the moments, in the order of the paper; empty where there are none.</summary>
    public required IReadOnlyList<double> Betas { get; init; }

    /// <summary>Added to the denominator.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Momentum, in [0, 1).</summary>
    public required double Momentum { get; init; }

    /// <summary>Whether momentum takes Nesterov's form.</summary>
    public required bool Nesterov { get; init; }

    /// <summary>Every further option of the rule by its PyTorch name.</summary>
    public required IReadOnlyDictionary<string, double> Extra { get; init; }

    /// <summary>Whether kernels over lists of tensors are used where there are some; the plain path is their reference.</summary>
    public bool UseFusedKernels { get; init; } = true;

    /// <summary>Whether a switch among <see cref="Extra"/> is on.</summary>
    /// <param name="name">Its PyTorch name.</param>
    public bool Is(string name) => Extra[name] != 0;
}
