using Nabla.Nn;
using Nabla.Training;

namespace Nabla;

/// <summary>One declarative description of a complete run: what is learned, from which data, by which model, and how.</summary>
public sealed record Recipe
{
    /// <summary>Name of the run; its folder is <c>runs/name/...</c>. Default: the name of the recipe's file.</summary>
    public string Name { get; init; } = "";

    /// <summary>Kind of problem, such as image-classification.</summary>
    public required string Task { get; init; }

    /// <summary>The data.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>The model.</summary>
    public required ModelSelection Model { get; init; }

    /// <summary>What is minimised; null: the task's own loss. Default: null.</summary>
    public LossOptions? Loss { get; init; }

    /// <summary>How it is trained.</summary>
    public TrainingOptions Training { get; init; } = new();

    /// <summary>Metrics besides the loss, such as accuracy; null: those of the task. Default: null.</summary>
    public IReadOnlyList<string>? Metrics { get; init; }

    /// <summary>Fixes all randomness of the run. Default: 1.</summary>
    public long Seed { get; init; } = 1;
}
