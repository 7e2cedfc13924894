using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// How the learning rate changes over the steps of a run. Rates are shares of the peak rate, <see cref="OptimizerOptions.LearningRate"/>;
/// each property names the schedules that use it.
/// </summary>
public sealed record ScheduleOptions
{
    /// <summary>
    /// Name: constant, linear, cosine, cosine-restarts, polynomial, inverse-sqrt, one-cycle, step, multi-step, exponential, cyclic,
    /// warmup-stable-decay, plateau, or one made of parts: sequential (one after the other) or chained (all at once). Default: constant.
    /// </summary>
    public string Name { get; init; } = "constant";

    /// <summary>Steps of linear growth at the start. Default: 0.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Share of all steps that are warm-up (one-cycle: the rising part), in [0, 1]; used when <see cref="WarmupSteps"/> is 0; null: none (one-cycle: 0.3). Default: null.</summary>
    public double? WarmupFraction { get; init; }

    /// <summary>Form of the warm-up: linear, cosine, 1-sqrt, or flat (its starting rate until it ends). Default: linear.</summary>
    public string WarmupShape { get; init; } = "linear";

    /// <summary>Rate at the first step of the warm-up, in [0, 1]. Default: 0, so the first step does nothing.</summary>
    public double WarmupStart { get; init; }

    /// <summary>Rate at the end (linear, cosine, cosine-restarts, polynomial, one-cycle, warmup-stable-decay) or the lowest one (plateau), in [0, 1]. Default: 0.</summary>
    public double FinalFraction { get; init; }

    /// <summary>Rate at the start (linear, one-cycle) or at its lowest (cyclic), in [0, 1]; null: 1 (linear), 1/25 (one-cycle), 1/10 (cyclic). Default: null.</summary>
    public double? InitialFraction { get; init; }

    /// <summary>Factor of each drop (step, multi-step, plateau), of each epoch (exponential) or step (cyclic, exponential shape), in (0, 1]. Default: 0.1.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Epochs between drops (step). Default: 30.</summary>
    public int StepEpochs { get; init; } = 30;

    /// <summary>Epochs at which the rate drops (multi-step); one that stands twice counts twice. Default: none.</summary>
    public IReadOnlyList<int>? Milestones { get; init; }

    /// <summary>Power of the share of steps that is left (polynomial), above 0. Default: 1.</summary>
    public double Power { get; init; } = 1;

    /// <summary>Waves over the run (cosine; half a wave falls once) or cycles (cosine-restarts, cyclic), above 0; null: 0.5 (cosine), 3 (the others). Default: null.</summary>
    public double? Cycles { get; init; }

    /// <summary>Steps of the first cycle (cosine-restarts, cyclic), at least 1; null: from <see cref="Cycles"/>. Default: null.</summary>
    public long? CycleSteps { get; init; }

    /// <summary>Each cycle is this many times as long as the one before (cosine-restarts with <see cref="CycleSteps"/>), at least 1. Default: 1.</summary>
    public double CycleFactor { get; init; } = 1;

    /// <summary>Share of a cycle in which the rate rises (cyclic), in (0, 1). Default: 0.5.</summary>
    public double CycleUpFraction { get; init; } = 0.5;

    /// <summary>What becomes of the height of the cycles (cyclic): triangular (same), halving, or exponential (gamma to the step). Default: triangular.</summary>
    public string CycleShape { get; init; } = "triangular";

    /// <summary>Steps after which the rate has fallen to 1/sqrt(2) (inverse-sqrt), at least 1; null: the warm-up, or 10000 without one. Default: null.</summary>
    public long? Timescale { get; init; }

    /// <summary>Form of rise and fall (one-cycle) or of the fall (warmup-stable-decay): cosine, linear or 1-sqrt (warmup-stable-decay only). Default: cosine.</summary>
    public string Annealing { get; init; } = "cosine";

    /// <summary>Fall back to the starting rate as fast as it rose, then on to the end (one-cycle). Default: false.</summary>
    public bool ThreePhases { get; init; }

    /// <summary>Share of all steps in which the rate falls at the end (warmup-stable-decay), in [0, 1]. Default: 0.2.</summary>
    public double DecayFraction { get; init; } = 0.2;

    /// <summary>Whether momentum goes the opposite way of the rate (one-cycle, cyclic). Default: true.</summary>
    public bool CycleMomentum { get; init; } = true;

    /// <summary>Momentum at the peak rate (one-cycle, cyclic), in [0, 1); null: 0.85 (one-cycle), 0.8 (cyclic). Default: null.</summary>
    public double? LowMomentum { get; init; }

    /// <summary>Momentum at the lowest rate (one-cycle, cyclic), in [0, 1); null: 0.95 (one-cycle), 0.9 (cyclic). Default: null.</summary>
    public double? HighMomentum { get; init; }

    /// <summary>Steps over which the schedule runs, at least 1; null: all steps of the run, or of the part. Default: null.</summary>
    public long? Steps { get; init; }

    /// <summary>After the last step (cosine): hold the last rate, or continue the wave, which rises again, as PyTorch and transformers do. Default: hold.</summary>
    public string AfterEnd { get; init; } = "hold";

    /// <summary>The schedules of which this one is made (sequential, chained); each gives shares of the peak rate. Default: none.</summary>
    public IReadOnlyList<ScheduleOptions>? Parts { get; init; }

    /// <summary>Steps at which the second and later parts begin (sequential), growing; each part counts its own steps from 0. Default: none.</summary>
    public IReadOnlyList<long>? PartStarts { get; init; }

    /// <summary>Evaluations without improvement before a drop (plateau). Default: 10.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>Whether a smaller (min) or larger (max) metric is better (plateau). Default: min.</summary>
    public string Goal { get; init; } = "min";

    /// <summary>An improvement must be larger than this (plateau), at least 0. Default: 1e-4.</summary>
    public double Threshold { get; init; } = 1e-4;

    /// <summary>Whether <see cref="Threshold"/> is a difference instead of a share of the best value (plateau). Default: false.</summary>
    public bool ThresholdIsAbsolute { get; init; }

    /// <summary>Evaluations after a drop in which none is counted as bad (plateau). Default: 0.</summary>
    public int Cooldown { get; init; }

    /// <summary>A drop smaller than this share of the peak rate is left out (plateau). Default: 1e-8.</summary>
    public double MinimumDrop { get; init; } = 1e-8;

    /// <summary>Checks every value; all problems are reported at once.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf("name", Name, ScheduleFactory.Names)
        .Require(WarmupSteps >= 0, $"warmup_steps must be at least 0; it is {WarmupSteps}.")
        .Require(WarmupFraction is null or (>= 0 and <= 1), $"warmup_fraction must be in [0, 1]; it is {WarmupFraction}.")
        .Require(WarmupStart is >= 0 and <= 1, $"warmup_start must be in [0, 1]; it is {WarmupStart}.")
        .Require(FinalFraction is >= 0 and <= 1, $"final_fraction must be in [0, 1]; it is {FinalFraction}.")
        .Require(InitialFraction is null or (>= 0 and <= 1), $"initial_fraction must be in [0, 1]; it is {InitialFraction}.")
        .Require(Gamma is > 0 and <= 1, $"gamma must be in (0, 1]; it is {Gamma}.")
        .Require(StepEpochs >= 1, $"step_epochs must be at least 1; it is {StepEpochs}.")
        .Require(Milestones is null || Milestones.All(epoch => epoch >= 0), $"milestones must be at least 0; they are [{string.Join(", ", Milestones ?? [])}].")
        .Require(Name != "multi-step" || Milestones is { Count: > 0 }, "multi-step needs milestones, the epochs at which the rate drops.")
        .Require(Power > 0 && double.IsFinite(Power), $"power must be above 0; it is {Power}.")
        .Require(Cycles is null or > 0, $"cycles must be above 0; it is {Cycles}.")
        .Require(CycleSteps is null or >= 1, $"cycle_steps must be at least 1; it is {CycleSteps}.")
        .Require(CycleFactor >= 1 && double.IsFinite(CycleFactor), $"cycle_factor must be at least 1; it is {CycleFactor}.")
        .Require(CycleUpFraction is > 0 and < 1, $"cycle_up_fraction must be in (0, 1); it is {CycleUpFraction}.")
        .OneOf("cycle_shape", CycleShape, CycleShapes)
        .Require(Timescale is null or >= 1, $"timescale must be at least 1; it is {Timescale}.")
        .OneOf("annealing", Annealing, Annealings)
        .Require(Name != "one-cycle" || Annealing != "1-sqrt", "one-cycle knows the annealings cosine and linear only; it is 1-sqrt.")
        .Require(DecayFraction is >= 0 and <= 1, $"decay_fraction must be in [0, 1]; it is {DecayFraction}.")
        .Require(LowMomentum is null or (>= 0 and < 1), $"low_momentum must be in [0, 1); it is {LowMomentum}.")
        .Require(HighMomentum is null or (>= 0 and < 1), $"high_momentum must be in [0, 1); it is {HighMomentum}.")
        .Require(Patience >= 0, $"patience must be at least 0; it is {Patience}.")
        .OneOf("goal", Goal, Goals)
        .Require(Threshold >= 0, $"threshold must be at least 0; it is {Threshold}.")
        .Require(Cooldown >= 0, $"cooldown must be at least 0; it is {Cooldown}.")
        .Require(MinimumDrop >= 0, $"minimum_drop must be at least 0; it is {MinimumDrop}.")
        .OneOf("warmup_shape", WarmupShape, WarmupShapes)
        .Require(Steps is null or >= 1, $"steps must be at least 1; it is {Steps}.")
        .OneOf("after_end", AfterEnd, AfterEnds)
        .Require(AfterEnd == "hold" || Name == "cosine", $"after_end belongs to cosine; {Name} holds its last rate.")
        .Require(IsMade == Parts is { Count: > 0 }, IsMade ? $"parts must be at least one schedule for {Name}." : $"parts belong to sequential and chained; leave them out for {Name}.")
        .Require(Name == "sequential" || PartStarts is null or { Count: 0 }, $"part_starts belong to sequential; leave them out for {Name}.")
        .Require(Name != "sequential" || (PartStarts?.Count ?? 0) == Math.Max(0, (Parts?.Count ?? 0) - 1), $"part_starts must be one fewer than parts ({Parts?.Count ?? 0}); there are {PartStarts?.Count ?? 0}.")
        .Require(PartStarts is null || PartStarts.Prepend(0).Zip(PartStarts).All(pair => pair.First < pair.Second), $"part_starts must be above 0 and grow; they are [{string.Join(", ", PartStarts ?? [])}].")
        .Require(Parts is null || Parts.All(part => Name == "chained" ? ScheduleFactory.Chainable.Contains(part.Name) : part.Name != "plateau"),
            $"parts of {Name} cannot be {string.Join(", ", (Parts ?? []).Select(part => part.Name).Where(part => Name == "chained" ? !ScheduleFactory.Chainable.Contains(part) : part == "plateau"))}.{(Name == "chained" ? $" Valid: {string.Join(", ", ScheduleFactory.Chainable)}." : "")}")
        .ThrowIfAny();

    private bool IsMade => Name is "sequential" or "chained";

    /// <summary>Valid values of <see cref="WarmupShape"/>.</summary>
    public static IReadOnlyCollection<string> WarmupShapes { get; } = ["linear", "cosine", "1-sqrt", "flat"];

    /// <summary>Valid values of <see cref="AfterEnd"/>.</summary>
    public static IReadOnlyCollection<string> AfterEnds { get; } = ["hold", "continue"];

    /// <summary>Valid values of <see cref="CycleShape"/>.</summary>
    public static IReadOnlyCollection<string> CycleShapes { get; } = ["triangular", "halving", "exponential"];

    /// <summary>Valid values of <see cref="Annealing"/>.</summary>
    public static IReadOnlyCollection<string> Annealings { get; } = ["cosine", "linear", "1-sqrt"];

    /// <summary>Valid values of <see cref="Goal"/>.</summary>
    public static IReadOnlyCollection<string> Goals { get; } = ["min", "max"];
}
