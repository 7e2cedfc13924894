using Nabla.Core;

namespace Nabla.Training;

/// <summary>Which optimiser, and its numbers. Defaults are those of PyTorch unless said otherwise.</summary>
public sealed record OptimizerOptions
{
    /// <summary>Name, such as adamw, adam, sgd, rmsprop, adagrad, lion. Default: adamw.</summary>
    public string Name { get; init; } = "adamw";

    /// <summary>Learning rate (the peak, where a schedule changes it). Default: 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Weight decay, at least 0; decoupled where the optimiser's name says so (adamw, lion). Default: 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Whether normalisation weights and biases (all parameters with one axis or none) are decayed too. Default: false.</summary>
    public bool DecayNormsAndBiases { get; init; }

    /// <summary>First and second moment decay of the Adam family and Lion, each in [0, 1); null: the optimiser's own default. Default: null.</summary>
    public IReadOnlyList<double>? Betas { get; init; }

    /// <summary>Added to the denominator; null: the optimiser's own default. Default: null.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Momentum of SGD and RMSprop, in [0, 1). Default: 0.</summary>
    public double Momentum { get; init; }

    /// <summary>Nesterov's form of momentum (SGD). Default: false.</summary>
    public bool Nesterov { get; init; }

    /// <summary>Further options of one optimiser by their PyTorch name, such as amsgrad, dampening, alpha, centered. Default: none.</summary>
    public IReadOnlyDictionary<string, double>? Extra { get; init; }

    /// <summary>Checks every value that all optimisers share; the factory checks the name and what belongs to one optimiser.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(LearningRate > 0 && double.IsFinite(LearningRate), $"learning_rate must be above 0; it is {LearningRate}.")
        .Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), $"weight_decay must be at least 0; it is {WeightDecay}.")
        .Require(Betas is null || (Betas.Count is 2 or 3 && Betas.All(beta => beta is >= 0 and < 1)), $"betas must be 2 (adan: 3) numbers in [0, 1); it is [{string.Join(", ", Betas ?? [])}].")
        .Require(Epsilon is null or >= 0, $"epsilon must be at least 0; it is {Epsilon}.")
        .Require(Momentum is >= 0 and < 1, $"momentum must be in [0, 1); it is {Momentum}.")
        .Require(!Nesterov || Momentum > 0, $"nesterov needs momentum above 0; momentum is {Momentum}.")
        .ThrowIfAny();
}

/// <summary>How the learning rate changes over the steps of a run.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Name, such as constant, linear, cosine, one-cycle, step, exponential, plateau. Default: constant.</summary>
    public string Name { get; init; } = "constant";

    /// <summary>Steps of linear growth from 0 at the start. Default: 0.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Share of all steps that are warm-up (one-cycle: the rising part), in [0, 1]; used when <see cref="WarmupSteps"/> is 0; null: none (one-cycle: 0.3). Default: null.</summary>
    public double? WarmupFraction { get; init; }

    /// <summary>Rate at the end as a share of the peak (linear, cosine), in [0, 1]. Default: 0.</summary>
    public double FinalFraction { get; init; }

    /// <summary>Factor of each drop (step, multi-step, exponential, plateau), in (0, 1]. Default: 0.1.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Epochs between drops (step). Default: 30.</summary>
    public int StepEpochs { get; init; } = 30;

    /// <summary>Epochs at which the rate drops (multi-step). Default: none.</summary>
    public IReadOnlyList<int>? Milestones { get; init; }

    /// <summary>Evaluations without improvement before a drop (plateau). Default: 10.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(WarmupSteps >= 0, $"warmup_steps must be at least 0; it is {WarmupSteps}.")
        .Require(WarmupFraction is null or (>= 0 and <= 1), $"warmup_fraction must be in [0, 1]; it is {WarmupFraction}.")
        .Require(FinalFraction is >= 0 and <= 1, $"final_fraction must be in [0, 1]; it is {FinalFraction}.")
        .Require(Gamma is > 0 and <= 1, $"gamma must be in (0, 1]; it is {Gamma}.")
        .Require(StepEpochs >= 1, $"step_epochs must be at least 1; it is {StepEpochs}.")
        .Require(Patience >= 0, $"patience must be at least 0; it is {Patience}.")
        .ThrowIfAny();
}
