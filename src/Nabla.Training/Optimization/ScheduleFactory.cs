using Nabla.Core;

namespace Nabla.Training;

/// <summary>Makes learning-rate schedules by name.</summary>
public static class ScheduleFactory
{
    private const double OneCycleRise = 0.3, OneCycleStart = 1.0 / 25; // Smith and Topin (2018) as in PyTorch
    private const double CyclicStart = 0.1, DefaultCycles = 3, HalfWave = 0.5;
    private const long DefaultTimescale = 10_000; // as in transformers

    /// <summary>Valid values of <see cref="ScheduleOptions.Name"/>.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["constant", "linear", "cosine", "cosine-restarts", "polynomial", "inverse-sqrt", "one-cycle", "step", "multi-step", "exponential", "cyclic", "warmup-stable-decay", "plateau", "sequential", "chained"];

    /// <summary>Names that can be parts of a chained schedule: those whose rates can be multiplied.</summary>
    internal static IReadOnlyList<string> Chainable { get; } = ["constant", "linear", "cosine", "polynomial", "inverse-sqrt", "step", "multi-step", "exponential", "warmup-stable-decay"];

    /// <summary>The schedule of a run. Past <paramref name="totalSteps"/> those that end hold their last rate.</summary>
    /// <param name="options">Which schedule, and its numbers.</param>
    /// <param name="totalSteps">Optimiser steps of the whole run, at least 1.</param>
    /// <param name="stepsPerEpoch">Optimiser steps in an epoch, at least 1.</param>
    /// <exception cref="OptionsException">The name is not known or a value cannot work.</exception>
    public static Schedule Create(ScheduleOptions options, long totalSteps, long stepsPerEpoch)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(totalSteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        Validate(options);
        totalSteps = options.Steps ?? totalSteps;
        var warmup = Warmup(options, totalSteps);
        var rest = Math.Max(1, totalSteps - warmup);
        double Raw(long step) => (double)(step - warmup) / rest;
        double Progress(long step) => Math.Min(1.0, Raw(step));
        double ToFinal(double share) => options.FinalFraction + ((1 - options.FinalFraction) * share);
        Schedule Warmed(Func<long, double> factor) => new FormulaSchedule(warmup, options.WarmupStart, options.WarmupShape, factor);
        return options.Name switch
        {
            "constant" => Warmed(_ => 1),
            "linear" => Warmed(step => options.FinalFraction + (((options.InitialFraction ?? 1) - options.FinalFraction) * (1 - Progress(step)))),
            "cosine" => Warmed(step => ToFinal(Math.Max(0, (1 + Math.Cos(Math.PI * (options.Cycles ?? HalfWave) * 2 * (options.AfterEnd == "continue" ? Raw(step) : Progress(step)))) / 2))),
            "cosine-restarts" => Warmed(step => ToFinal((1 + Math.Cos(Math.PI * CyclePosition(options, step - warmup, Progress(step)))) / 2)),
            "polynomial" => Warmed(step => ToFinal(Math.Pow(1 - Progress(step), options.Power))),
            "inverse-sqrt" => Warmed(InverseSqrt(options.Timescale ?? (warmup > 0 ? warmup : DefaultTimescale), warmup)),
            "one-cycle" => OneCycle(options, totalSteps),
            "step" => Warmed(step => Math.Pow(options.Gamma, step / stepsPerEpoch / options.StepEpochs)),
            "multi-step" => Warmed(step => Math.Pow(options.Gamma, options.Milestones!.Count(epoch => epoch <= step / stepsPerEpoch))),
            "exponential" => Warmed(step => Math.Pow(options.Gamma, step / stepsPerEpoch)),
            "cyclic" => Cyclic(options, warmup, rest),
            "warmup-stable-decay" => Warmed(StableDecay(options, totalSteps, warmup, ToFinal)),
            "plateau" => new PlateauSchedule(options, warmup),
            "sequential" => Sequential(options, totalSteps, stepsPerEpoch),
            "chained" => new ChainedSchedule([.. options.Parts!.Select(part => (Create(part, totalSteps, stepsPerEpoch), part.Name == "cosine" ? (part.FinalFraction, Warmup(part, part.Steps ?? totalSteps)) : ((double, long)?)null))]),
            _ => throw new ArgumentException($"Schedule '{options.Name}' is listed but not built.", nameof(options)),
        };
    }

    /// <summary>Checks a schedule and its parts without making anything.</summary>
    /// <param name="options">Which schedule, and its numbers.</param>
    /// <exception cref="OptionsException">The name is not known or a value cannot work.</exception>
    public static void Validate(ScheduleOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        foreach (var part in options.Parts ?? [])
        {
            Validate(part);
        }
    }

    private static long Warmup(ScheduleOptions options, long totalSteps)
        => options.WarmupSteps > 0 ? options.WarmupSteps : (long)Math.Round((options.WarmupFraction ?? 0) * totalSteps);

    private static SequentialSchedule Sequential(ScheduleOptions options, long totalSteps, long stepsPerEpoch)
    {
        long[] starts = [0, .. options.PartStarts ?? []];
        return new([.. options.Parts!.Select((part, i) => (starts[i], Create(part, Math.Max(1, (i + 1 < starts.Length ? starts[i + 1] : totalSteps) - starts[i]), stepsPerEpoch)))]);
    }

    /// <summary>Place within the present cosine cycle, in [0, 1) (Loshchilov and Hutter, 2017, arXiv:1608.03983); 1 after the last one.</summary>
    private static double CyclePosition(ScheduleOptions options, long step, double progress)
    {
        if (options.CycleSteps is not { } first)
        {
            return progress >= 1 ? 1 : (options.Cycles ?? DefaultCycles) * progress % 1;
        }
        double length = first, position = step;
        if (options.CycleFactor == 1)
        {
            return position % length / length;
        }
        while (position >= length)
        {
            position -= length;
            length *= options.CycleFactor;
        }
        return position / length;
    }

    /// <summary><c>1 / sqrt(1 + (step - warmup) / timescale)</c> (Vaswani et al., 2017, in the form of Zhai et al., 2022).</summary>
    private static Func<long, double> InverseSqrt(long timescale, long warmup)
        => step => 1 / Math.Sqrt((double)(step + timescale - warmup) / timescale);

    /// <summary>Warm-up, a long constant part, and a fall at the end (Hu et al., 2024, arXiv:2404.06395; 1-sqrt of Haegele et al., 2024).</summary>
    private static Func<long, double> StableDecay(ScheduleOptions options, long totalSteps, long warmup, Func<double, double> toFinal)
    {
        var decay = Math.Min(totalSteps - Math.Min(warmup, totalSteps), (long)Math.Round(options.DecayFraction * totalSteps));
        var start = totalSteps - decay;
        return step => step < start ? 1 : step >= totalSteps ? options.FinalFraction : toFinal(Fall(options.Annealing, (double)(step - start) / decay));
    }

    private static double Fall(string annealing, double progress) => annealing switch
    {
        "cosine" => (1 + Math.Cos(Math.PI * progress)) / 2,
        "linear" => 1 - progress,
        _ => 1 - Math.Sqrt(progress),
    };

    /// <summary>Up and down once (Smith and Topin, 2018, arXiv:1708.07120), as PyTorch's OneCycleLR: the last step has the final rate.</summary>
    private static FormulaSchedule OneCycle(ScheduleOptions options, long totalSteps)
    {
        var rise = options.WarmupSteps > 0 ? Math.Min(1, (double)options.WarmupSteps / totalSteps) : options.WarmupFraction ?? OneCycleRise;
        var start = options.InitialFraction ?? OneCycleStart;
        var (low, high) = (options.LowMomentum ?? 0.85, options.HighMomentum ?? 0.95);
        (double End, double Rate, double Momentum)[] knots = options.ThreePhases
            ? [((rise * totalSteps) - 1, 1, low), ((2 * rise * totalSteps) - 2, start, high), (totalSteps - 1, options.FinalFraction, high)]
            : [((rise * totalSteps) - 1, 1, low), (totalSteps - 1, options.FinalFraction, high)];
        double At(long step, double first, Func<(double End, double Rate, double Momentum), double> select)
        {
            var (place, from, begin) = (Math.Min(step, totalSteps - 1), first, 0.0);
            foreach (var (i, knot) in knots.Index())
            {
                if (place <= knot.End || i == knots.Length - 1)
                {
                    var progress = knot.End > begin ? (place - begin) / (knot.End - begin) : 1;
                    var share = Fall(options.Annealing, progress);
                    return select(knot) + ((from - select(knot)) * share);
                }
                (from, begin) = (select(knot), knot.End);
            }
            return from;
        }
        return new(0, 0, "linear", step => At(step, start, knot => knot.Rate), options.CycleMomentum ? step => At(step, high, knot => knot.Momentum) : null);
    }

    /// <summary>Up and down again and again (Smith, 2017, arXiv:1506.01186).</summary>
    private static FormulaSchedule Cyclic(ScheduleOptions options, long warmup, long rest)
    {
        var length = options.CycleSteps ?? rest / (options.Cycles ?? DefaultCycles);
        var start = options.InitialFraction ?? CyclicStart;
        var (low, high) = (options.LowMomentum ?? 0.8, options.HighMomentum ?? 0.9);
        double Height(long step)
        {
            var k = Math.Max(0, step - warmup);
            var cycle = Math.Floor(1 + (k / length));
            var place = 1 + (k / length) - cycle;
            var height = place <= options.CycleUpFraction ? place / options.CycleUpFraction : (place - 1) / (options.CycleUpFraction - 1);
            return height * options.CycleShape switch
            {
                "halving" => Math.Pow(2, 1 - cycle),
                "exponential" => Math.Pow(options.Gamma, k),
                _ => 1,
            };
        }
        return new(warmup, options.WarmupStart, options.WarmupShape, step => start + ((1 - start) * Height(step)), options.CycleMomentum ? step => high - ((high - low) * Height(step)) : null);
    }
}
