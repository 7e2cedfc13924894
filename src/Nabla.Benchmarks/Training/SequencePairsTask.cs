using Nabla.Data;
using Nabla.Models;
using Nabla.Training;

namespace Nabla.Benchmarks;

/// <summary>An encoder-decoder on <see cref="SequencePairs"/>: cross entropy of the next token, padding left out. Owns the model and the loss.</summary>
/// <param name="model">The model; taken over.</param>
internal sealed class SequencePairsTask(EncoderDecoder model) : TrainingTask
{
    private const string Decoder = "decoder", DecoderMask = "decoder-mask";
    private readonly Module<Tensor, Tensor, Tensor> _loss = Losses.Create(new() { Name = "cross-entropy" });

    /// <inheritdoc/>
    public override Module Module => model;

    /// <summary>A batch that shares the tensors of <paramref name="pairs"/>.</summary>
    public static Batch ToBatch(SequencePairs pairs)
    {
        using var scope = NewDisposeScope();
        return new(
        [
            new(Batch.Inputs, pairs.Source.alias()),
            new(Batch.Mask, pairs.Source.ne(Number.Of(0))),
            new(Decoder, pairs.Input.alias()),
            new(DecoderMask, pairs.Input.ne(Number.Of(0))),
            new(Batch.Targets, pairs.Target.alias()),
        ]);
    }

    /// <inheritdoc/>
    public override bool IsForwardOnly => true;

    /// <inheritdoc/>
    public override StepOutput Step(Batch batch)
    {
        var targets = batch[Batch.Targets];
        var logits = model.call(new ModelBatch(batch[Batch.Inputs], batch[Batch.Mask], Decoder: batch[Decoder], DecoderMask: batch[DecoderMask])).to_type(ScalarType.Float32); // [batch, time, vocab]
        return new(_loss.call(logits, targets), targets.ge(Number.Of(0)).sum().item<long>(), logits, targets);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics(string split) => [MetricFactory.Create("token-accuracy", model.Input.Outputs)];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _loss.Dispose();
        }
        base.Dispose(disposing);
    }
}
