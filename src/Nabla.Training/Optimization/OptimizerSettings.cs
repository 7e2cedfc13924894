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

    /// <summary>Which kernels are used where there are some.</summary>
    public KernelChoice Kernels { get; init; } = KernelChoice.Fastest;

    /// <summary>Whether a kernel over lists of tensors takes these updates.</summary>
    /// <param name="kind">Their kind.</param>
    /// <param name="updates">Updates of one kind.</param>
    public bool UsesLists(ParameterKind kind, IReadOnlyList<ParameterUpdate> updates)
        => Kernels != KernelChoice.Plain && FusedKernels.Support(kind.Device) && UpdateLists.HaveOneLayout(updates);

    /// <summary>Whether a switch among <see cref="Extra"/> is on.</summary>
    /// <param name="name">Its PyTorch name.</param>
    public bool Is(string name) => Extra[name] != 0;
}

/// <summary>Which form of an optimiser's step is used.</summary>
internal enum KernelChoice
{
    /// <summary>What is fastest on the device: the native fused step, .NET vectors on the CPU, operations over lists on a GPU.</summary>
    Fastest,

    /// <summary>Operations over lists of tensors, also where .NET vectors would be faster.</summary>
    Lists,

    /// <summary>Operation by operation, parameter by parameter: the reference of the others.</summary>
    Plain,
}
