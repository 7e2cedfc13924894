namespace Nabla.Training;

/// <summary>What a checkpoint is written from; nothing is changed or taken over.</summary>
/// <param name="State">The place in training.</param>
/// <param name="Model">State of the module by key.</param>
/// <param name="Optimizer">State of the optimiser by key.</param>
/// <param name="Average">Averaged weights by the module's keys, or null.</param>
public sealed record CheckpointContent(
    CheckpointState State,
    IReadOnlyDictionary<string, Tensor> Model,
    IReadOnlyDictionary<string, Tensor> Optimizer,
    IReadOnlyDictionary<string, Tensor>? Average = null);
