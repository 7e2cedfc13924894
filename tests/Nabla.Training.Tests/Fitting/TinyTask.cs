using Nabla.Data;
using static TorchSharp.torch.nn;

namespace Nabla.Training.Tests;

/// <summary>A small classifier with everything that makes exact resuming hard: dropout, batch normalisation, several layers.</summary>
internal sealed class TinyTask : TrainingTask
{
    private readonly TinyModel _model;

    public TinyTask(long seed = 1, double dropout = 0.3, bool batchNorm = true, int hidden = 8)
    {
        Seeds.SetGlobal(seed, RandomPurpose.Initialization);
        _model = new TinyModel(dropout, batchNorm, hidden);
    }

    /// <summary>Changes the output of a batch, to make faults.</summary>
    public Func<long, StepOutput, StepOutput>? Change { get; init; }

    /// <summary>Training batches seen.</summary>
    public long TrainingBatches { get; private set; }

    /// <summary>Examples in the newest batch.</summary>
    public long LastBatch { get; private set; }

    public override Module Module => _model;

    public override StepOutput Step(Batch batch)
    {
        var targets = batch[Batch.Targets];
        var logits = _model.call(batch[Batch.Inputs]); // [batch, classes=3]
        var output = new StepOutput(functional.cross_entropy(logits, targets), targets.shape[0], logits, targets);
        LastBatch = targets.shape[0];
        var number = TrainingBatches;
        TrainingBatches += _model.training ? 1 : 0;
        return Change is null || !_model.training ? output : Change(number, output);
    }

    public override IReadOnlyList<Metric> CreateMetrics(string split) => [new Hits()];

    /// <summary>Share of right answers.</summary>
    private sealed class Hits : Metric
    {
        private double _right, _all;

        public override string Name => "accuracy";

        public override bool HigherIsBetter => true;

        public override void Reset() => (_right, _all) = (0, 0);

        public override void Update(Tensor predictions, Tensor targets)
        {
            using var scope = NewDisposeScope();
            _right += predictions.argmax(-1).eq(targets).sum().item<long>();
            _all += targets.shape[0];
        }

        public override double Compute() => _right / _all;
    }

    private sealed class TinyModel : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear first, second;
        private readonly TorchSharp.Modules.BatchNorm1d? norm;
        private readonly TorchSharp.Modules.Dropout dropout;

        public TinyModel(double dropoutChance, bool batchNorm, int hidden)
            : base(nameof(TinyModel))
        {
            (first, second) = (Linear(4, hidden), Linear(hidden, 3));
            norm = batchNorm ? BatchNorm1d(hidden) : null;
            dropout = Dropout(dropoutChance);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = first.call(input); // [batch, hidden]
            x = functional.relu(norm is null ? x : norm.call(x));
            return second.call(dropout.call(x)).MoveToOuterDisposeScope(); // [batch, classes=3]
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                first.Dispose();
                second.Dispose();
                norm?.Dispose();
                dropout.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
