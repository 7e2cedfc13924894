namespace Nabla.Cli.Tests;

/// <summary>A made-up run for the displays.</summary>
internal static class FakeRun
{
    public const int Epochs = 8, StepsInEpoch = 60;

    public static DisplayRun Start { get; } = new()
    {
        Name = "shapes",
        Model = "cnn",
        Parameters = 94_727,
        Device = "cpu, 2 threads",
        Precision = "float32",
        Data = "shapes",
        Examples = 6000,
        Epochs = Epochs,
        Steps = Epochs * StepsInEpoch,
        Folder = "runs/shapes/2026-03-01T12-00-00Z-4f2a1c",
    };

    public static DisplayProgress Progress(long step)
    {
        var noise = Math.Sin(step * 12.9898) * 0.06;
        return new()
        {
            Step = step,
            Epoch = (int)((step - 1) / StepsInEpoch) + 1,
            EpochShare = ((step - 1) % StepsInEpoch + 1.0) / StepsInEpoch,
            Metrics = new Dictionary<string, double> { ["train/loss"] = (1.8 * Math.Exp(-step / 90.0)) + 0.1 + noise, ["train/accuracy"] = Math.Min(1, 0.97 - (0.8 * Math.Exp(-step / 90.0)) + (noise / 3)) },
            LearningRate = 0.003 * (1 - (step / (double)(Epochs * StepsInEpoch))),
            ExamplesPerSecond = 4310 + (200 * noise),
            MemoryBytes = 612_000_000,
        };
    }

    public static DisplayEvaluation Evaluation(int epoch) => new("validation", epoch * StepsInEpoch, epoch, new Dictionary<string, double>
    {
        ["validation/loss"] = (1.5 * Math.Exp(-epoch / 2.0)) + 0.15 + (epoch > 6 ? 0.03 * (epoch - 6) : 0),
        ["validation/accuracy"] = 0.955 - (0.7 * Math.Exp(-epoch / 1.6)),
        ["validation/f1"] = 0.94 - (0.7 * Math.Exp(-epoch / 1.6)),
    });

    public static DisplayOutcome Outcome { get; } = new("completed", new Dictionary<string, double> { ["test/accuracy"] = 0.981, ["test/loss"] = 0.07 }, Start.Folder);

    /// <summary>Plays the whole run.</summary>
    /// <param name="display">Where to.</param>
    /// <param name="afterStep">Called after every step.</param>
    /// <param name="steps">Steps to take; null: all.</param>
    public static void Play(ITrainingDisplay display, Action<long>? afterStep = null, long? steps = null)
    {
        display.OnStarted(Start);
        for (var step = 1L; step <= (steps ?? Start.Steps); step++)
        {
            display.OnProgress(Progress(step));
            afterStep?.Invoke(step);
            if (step % StepsInEpoch == 0)
            {
                display.OnEvaluation(Evaluation((int)(step / StepsInEpoch)));
            }
        }
        if (steps is null)
        {
            display.OnCompleted(Outcome);
        }
    }
}
