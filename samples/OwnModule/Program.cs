using Nabla.Core;
using Nabla.Data;
using Nabla.Training;
using TorchSharp;
using static TorchSharp.torch;

// Your own records, from anywhere that gives an IEnumerable<T>: here, how long a journey takes by distance, hour and rain.
NablaRuntime.EnsureLoaded();
Journey[] journeys = [.. Journeys(seed: 1).Take(2400)];
var train = Loader(journeys[..2000], isTraining: true);
var validation = Loader(journeys[2000..], isTraining: false);

// Your own module and task, trained by the trainer that recipes use.
using JourneyTask task = new(new JourneyTime());
StopWhenGood errors = new();
Trainer trainer = new(new() { Epochs = 12, Precision = "float32", Optimizer = new() { Name = "adamw", LearningRate = 1e-2 }, Schedule = new() { Name = "one-cycle" } });
var result = trainer.Fit(task, train, validation, new() { Folder = RunFolder.Create("runs", "journeys"), Callbacks = [errors] });

Console.WriteLine($"after {result.Steps} steps the validation error is {result.Metrics["validation/mae"]:F2} minutes; the best of {errors.Epochs} epochs was {errors.Best}");
using var answer = ((JourneyTime)task.Module).call(tensor(new[] { 5f, 17.5f, 1f }).reshape(1, 3));
Console.WriteLine($"5 km at half past five in the rain: {answer.item<float>():F0} minutes");

static DataLoader Loader(IReadOnlyList<Journey> journeys, bool isTraining)
    => new(new RecordSource<Journey>(journeys, ToBatch), new() { BatchSize = 50, Shuffle = isTraining, Seed = 1 });

// Records become tensors once, a batch at a time, on the loader's background thread.
static Batch ToBatch(IReadOnlyList<Journey> journeys) => new(
[
    KeyValuePair.Create(Batch.Inputs, tensor(journeys.SelectMany(journey => new[] { journey.Kilometres, journey.Hour, journey.HasRain ? 1f : 0f }).ToArray()).reshape(-1, 3)),
    KeyValuePair.Create(Batch.Targets, tensor(journeys.Select(journey => journey.Minutes).ToArray())),
]);

static IEnumerable<Journey> Journeys(long seed)
{
    var random = RandomStream.At(seed, RandomPurpose.Other);
    while (true)
    {
        var (kilometres, hour, hasRain) = ((float)random.NextDouble(0, 20), (float)random.NextDouble(0, 24), random.NextBool(0.3));
        var rush = MathF.Exp(-MathF.Pow(hour - 17.5f, 2) / 4) + MathF.Exp(-MathF.Pow(hour - 8, 2) / 2);
        yield return new(kilometres, hour, hasRain, 3 + (kilometres * (2 + rush) * (hasRain ? 1.2f : 1)));
    }
}

/// <summary>A record of the user.</summary>
internal sealed record Journey(float Kilometres, float Hour, bool HasRain, float Minutes);

/// <summary>Minutes from kilometres, hour and rain: <c>[batch, 3]</c> to <c>[batch]</c>.</summary>
internal sealed class JourneyTime : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Linear first, second, last; // plain fields: their names are the keys in checkpoints

    public JourneyTime()
        : base(nameof(JourneyTime))
    {
        (first, second, last) = (nn.Linear(5, 64), nn.Linear(64, 64), nn.Linear(64, 1));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var angle = input.narrow(1, 1, 1) * (2 * MathF.PI / 24); // an hour lies on a circle: 23:59 is near 0:00
        var features = cat([input.narrow(1, 0, 1) / 10, input.narrow(1, 2, 1), angle.sin(), angle.cos(), (angle * 2).sin()], 1); // [batch, 5]
        var hidden = nn.functional.silu(second.call(nn.functional.silu(first.call(features))));
        return (last.call(hidden).squeeze(1) * 20 + 20).MoveToOuterDisposeScope(); // [batch], about the scale of the answers
    }
}

/// <summary>How a batch becomes a loss, and what is measured.</summary>
internal sealed class JourneyTask(JourneyTime model) : TrainingTask
{
    public override nn.Module Module => model;

    public override StepOutput Step(Batch batch)
    {
        var (predicted, minutes) = (model.call(batch[Batch.Inputs]), batch[Batch.Targets]);
        return new(nn.functional.smooth_l1_loss(predicted, minutes), minutes.shape[0], predicted, minutes);
    }

    public override IReadOnlyList<Metric> CreateMetrics(string split) => [MetricFactory.Create("mae"), MetricFactory.Create("r2")];
}

/// <summary>A callback hears what happens and may end training; here it keeps the best epoch and stops when the error is small enough.</summary>
internal sealed class StopWhenGood : TrainingCallback
{
    private readonly Dictionary<int, double> _errors = [];

    public int Epochs => _errors.Count;

    public string Best => $"epoch {_errors.MinBy(epoch => epoch.Value).Key + 1}";

    public override void OnTrainingStarted(TrainingStarted started) => _errors.Clear();

    public override Continuation OnEpochCompleted(EpochCompleted epoch)
    {
        _errors[epoch.Epoch] = epoch.Metrics["validation/mae"];
        return _errors[epoch.Epoch] < 0.2 ? Continuation.Stop : Continuation.Continue;
    }
}
