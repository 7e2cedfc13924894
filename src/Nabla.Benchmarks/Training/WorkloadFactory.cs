using Nabla.Models;
using Nabla.Training;

namespace Nabla.Benchmarks;

/// <summary>Joins a family of Nabla.Models with the task and the metrics that a recipe would give it.</summary>
internal static class WorkloadFactory
{
    /// <summary>Fixes the initial weights.</summary>
    public const long Seed = 1;

    /// <summary>A workload whose Nabla side is a family of models, its cross entropy and its default metrics.</summary>
    /// <param name="name">Short name.</param>
    /// <param name="description">Model and sizes in a few words.</param>
    /// <param name="multiplyAdds">Multiply-adds of the forward pass.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="input">Sizes of the data.</param>
    /// <param name="model">Makes the model.</param>
    /// <param name="baseline">Makes the raw step from inputs and targets, which it takes over.</param>
    public static TrainingWorkload Create(
        string name, string description, double multiplyAdds, FixedBatch batch, ModelInput input, Func<ModelInput, Model> model, Func<Tensor, Tensor, ITrainingStep> baseline)
        => new(
            name,
            description,
            3 * multiplyAdds, // backward has two products for each one of forward: by the inputs and by the weights
            () =>
            {
                manual_seed(Seed);
                return baseline(batch.Inputs(), batch.Targets());
            },
            precision =>
            {
                Seeds.SetGlobal(Seed, RandomPurpose.Initialization);
                var task = new ModelTask(model(input), Nn.Losses.Create(new() { Name = "cross-entropy" }), _ => [Metric(input)]);
                var (next, dispose) = batch.Shared();
                return new StepRunnerStep(task, next, precision, dispose: dispose);
            });

    /// <summary>What the training split is measured by in a recipe that names no metrics: the first one of its task.</summary>
    private static Metric Metric(ModelInput input) => MetricFactory.Create(MetricDefaults.For(input.Task, input.Outputs)[0], input.Outputs);
}
