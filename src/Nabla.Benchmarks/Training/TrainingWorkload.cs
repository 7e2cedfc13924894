namespace Nabla.Benchmarks;

/// <summary>A model and a batch that both sides train: the raw baseline and Nabla.</summary>
/// <param name="Name">Short name, such as <c>W6</c>.</param>
/// <param name="Description">Model and sizes in a few words.</param>
/// <param name="MultiplyAdds">Multiply-adds of one step: forward and backward, matrix products and convolutions only.</param>
/// <param name="Baseline">Makes the step in raw TorchSharp (<c>benchmarks/Baselines</c>), in float32 as it is written there.</param>
/// <param name="Nabla">Makes the step of <c>nabla train</c> in a precision: float32, bfloat16-mixed or auto.</param>
internal sealed record TrainingWorkload(string Name, string Description, double MultiplyAdds, Func<ITrainingStep> Baseline, Func<string, ITrainingStep> Nabla);
