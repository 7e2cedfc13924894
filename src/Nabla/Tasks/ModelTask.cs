using Nabla.Core;
using Nabla.Data;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>Joins a model, a loss and the metrics of a recipe into what the trainer trains. Owns the model and the loss.</summary>
internal sealed class ModelTask : TrainingTask
{
    private readonly Model _model;
    private readonly Module<Tensor, Tensor, Tensor> _loss;
    private readonly Func<string, IReadOnlyList<Metric>> _metrics;
    private readonly Func<Tensor, Tensor>? _decode;

    /// <summary>Creates the task.</summary>
    /// <param name="model">The model; taken over.</param>
    /// <param name="loss">From predictions and targets to a mean; taken over.</param>
    /// <param name="metrics">Makes the metrics of a split.</param>
    /// <param name="decode">Turns predictions and targets into the target's own unit before metrics see them; null: they are left.</param>
    public ModelTask(Model model, Module<Tensor, Tensor, Tensor> loss, Func<string, IReadOnlyList<Metric>> metrics, Func<Tensor, Tensor>? decode = null)
        => (_model, _loss, _metrics, _decode) = (model, loss, metrics, decode);

    /// <inheritdoc/>
    public override Module Module => _model;

    /// <summary>The model.</summary>
    public Model Model => _model;

    /// <inheritdoc/>
    public override bool IsForwardOnly => true;

    /// <inheritdoc/>
    public override StepOutput Step(Batch batch)
    {
        var targets = batch[Batch.Targets];
        var predictions = _model.call(ToModelBatch(batch)).to_type(ScalarType.Float32);
        var loss = _loss.call(predictions, targets);                                              // []
        var weight = targets.dim() == 2 && targets.dtype == ScalarType.Int64 ? CountTokens(targets) : batch.Count;
        return _decode is null
            ? new(loss, weight, predictions, targets)
            : new(loss, weight, _decode(predictions.detach()), _decode(targets));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics(string split) => _metrics(split);

    /// <summary>The fields that models read. The batch keeps owning them.</summary>
    public static ModelBatch ToModelBatch(Batch batch)
        => new(batch[Batch.Inputs], batch.Find(Batch.Mask), batch.Find(Batch.Lengths), batch.Find(Batch.Categories)) { Documents = batch.Find(Batch.Documents), Positions = batch.Find(Batch.Positions) };

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _loss.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Targets that count; -100 marks those that do not.</summary>
    private static long CountTokens(Tensor targets) => targets.ge(Number.Of(0)).sum().item<long>();
}
