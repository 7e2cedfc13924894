using Nabla.Core;

namespace Nabla.Training;

/// <summary>How a model is trained: the <c>training</c> part of a recipe.</summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the training data. Default: 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Stop after this many optimiser steps, whatever the epochs say; null: no such bound. Default: null.</summary>
    public long? MaxSteps { get; init; }

    /// <summary>Examples in a batch; auto: as many as fit into memory, found before training and written into the run's recipe. Default: 128.</summary>
    [AutoValue]
    public int BatchSize { get; init; } = 128;

    /// <summary>Batches whose gradients are summed before a step, weighted by their examples or tokens. Default: 1.</summary>
    public int AccumulateBatches { get; init; } = 1;

    /// <summary>Arithmetic: float32, bfloat16-mixed, float16-mixed or auto (what is fastest here and safe). Default: auto.</summary>
    public string Precision { get; init; } = "auto";

    /// <summary>The optimiser.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>How the learning rate changes.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>Measures against overfitting.</summary>
    public RegularizationOptions Regularization { get; init; } = new();

    /// <summary>Largest allowed global norm of the gradients; null: no clipping. Default: null.</summary>
    public double? GradientClipping { get; init; }

    /// <summary>Order of the norm of <see cref="GradientClipping"/>, above 0; .inf: the largest absolute entry. Default: 2.</summary>
    public double GradientClippingNorm { get; init; } = 2;

    /// <summary>Largest allowed absolute value of each gradient entry; null: no such clipping. Default: null.</summary>
    public double? GradientClippingValue { get; init; }

    /// <summary>Decay of the exponential moving average of the weights, in (0, 1); null: none. The average is what is evaluated and served. Default: null.</summary>
    public double? EmaDecay { get; init; }

    /// <summary>An average of the weights with all its choices (ema or swa), instead of <see cref="EmaDecay"/>; null: none. Default: null.</summary>
    public AveragingOptions? Averaging { get; init; }

    /// <summary>Sharpness-aware minimisation around the optimiser; null: off. Default: null.</summary>
    public SamOptions? Sam { get; init; }

    /// <summary>Stops when a metric no longer improves; null: never. Default: null.</summary>
    public EarlyStoppingOptions? EarlyStopping { get; init; }

    /// <summary>When checkpoints are written and which are kept.</summary>
    public CheckpointOptions Checkpoints { get; init; } = new();

    /// <summary>What follows when a loss or a gradient is NaN or infinite.</summary>
    public NonFiniteOptions NonFinite { get; init; } = new();

    /// <summary>Log a line of metrics every so many steps. Default: 10.</summary>
    public int LogEverySteps { get; init; } = 10;

    /// <summary>Evaluate on the validation split every so many epochs. Default: 1.</summary>
    public int ValidateEveryEpochs { get; init; } = 1;

    /// <summary>Evaluate on the validation split every so many steps as well; null: at epoch ends only. Default: null.</summary>
    public long? ValidateEverySteps { get; init; }

    /// <summary>Run a few batches of every part once, to see that all fits together. Default: false.</summary>
    public bool FastDevRun { get; init; }

    /// <summary>Train on this many batches only, over and over; a sound model then reaches a loss near 0. Null: off. Default: null.</summary>
    public int? OverfitBatches { get; init; }

    /// <summary>Find a learning rate by a short run of growing rates first (Smith, 2017), and use it. Default: false.</summary>
    public bool FindLearningRate { get; init; }

    /// <summary>Batches prepared ahead in the background. Default: 4.</summary>
    public int PrefetchBatches { get; init; } = 4;

    /// <summary>Threads of the native library; null: one for each core that this process may use. Default: null.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether the batch size is still to be found (<see cref="BatchSizeFinder"/>).</summary>
    public bool IsBatchSizeAuto => BatchSize == AutoValueAttribute.Value;

    /// <summary>Checks every value; all problems are reported at once.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Epochs >= 1, $"epochs must be at least 1; it is {Epochs}.")
        .Require(MaxSteps is null or >= 1, $"max_steps must be at least 1; it is {MaxSteps}.")
        .Require(BatchSize >= 1 || IsBatchSizeAuto, $"batch_size must be at least 1; it is {BatchSize}.")
        .Require(AccumulateBatches >= 1, $"accumulate_batches must be at least 1; it is {AccumulateBatches}.")
        .OneOf("precision", Precision, PrecisionNames)
        .Require(GradientClipping is null or > 0, $"gradient_clipping must be above 0; it is {GradientClipping}.")
        .Require(GradientClippingNorm > 0, $"gradient_clipping_norm must be above 0; it is {GradientClippingNorm}.")
        .Require(GradientClippingValue is null or > 0, $"gradient_clipping_value must be above 0; it is {GradientClippingValue}.")
        .Require(GradientClippingValue is null || GradientClipping is null, "gradient_clipping_value and gradient_clipping cannot both be given; keep one.")
        .Require(EmaDecay is null || Averaging is null, "ema_decay is the short form of averaging; keep one of them.")
        .Require(EmaDecay is null or (> 0 and < 1), $"ema_decay must be in (0, 1); it is {EmaDecay}.")
        .Require(LogEverySteps >= 1, $"log_every_steps must be at least 1; it is {LogEverySteps}.")
        .Require(ValidateEveryEpochs >= 1, $"validate_every_epochs must be at least 1; it is {ValidateEveryEpochs}.")
        .Require(ValidateEverySteps is null or >= 1, $"validate_every_steps must be at least 1; it is {ValidateEverySteps}.")
        .Require(OverfitBatches is null or >= 1, $"overfit_batches must be at least 1; it is {OverfitBatches}.")
        .Require(PrefetchBatches >= 0, $"prefetch_batches must be at least 0; it is {PrefetchBatches}.")
        .Require(Threads is null or >= 1, $"threads must be at least 1; it is {Threads}.")
        .ThrowIfAny();

    /// <summary>Valid values of <see cref="Precision"/>.</summary>
    public static IReadOnlyCollection<string> PrecisionNames { get; } = ["auto", "float32", "bfloat16-mixed", "float16-mixed"];
}

/// <summary>Measures against overfitting that are not part of the data.</summary>
public sealed record RegularizationOptions
{
    /// <summary>Chance of dropping a unit while training, in [0, 1); null: the model's own default. Default: null.</summary>
    public double? Dropout { get; init; }

    /// <summary>Share of the target's probability given to all classes alike, in [0, 1). Default: 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Weight of the sum of absolute weights in the loss. Default: 0.</summary>
    public double L1 { get; init; }

    /// <summary>Weight of half the sum of squared weights in the loss. Default: 0.</summary>
    public double L2 { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Dropout is null or (>= 0 and < 1), $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(LabelSmoothing is >= 0 and < 1, $"label_smoothing must be in [0, 1); it is {LabelSmoothing}.")
        .Require(L1 >= 0, $"l1 must be at least 0; it is {L1}.")
        .Require(L2 >= 0, $"l2 must be at least 0; it is {L2}.")
        .ThrowIfAny();
}

/// <summary>When training stops early.</summary>
public sealed record EarlyStoppingOptions
{
    /// <summary>The metric that is watched. Default: validation/loss.</summary>
    public string Monitor { get; init; } = "validation/loss";

    /// <summary>Evaluations without improvement before training stops. Default: 3.</summary>
    public int Patience { get; init; } = 3;

    /// <summary>An improvement must be larger than this. Default: 0.</summary>
    public double MinimumChange { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Patience >= 1, $"patience must be at least 1; it is {Patience}.")
        .Require(MinimumChange >= 0, $"minimum_change must be at least 0; it is {MinimumChange}.")
        .Require(Monitor.Contains('/', StringComparison.Ordinal), $"monitor must be split/metric, such as validation/loss; it is '{Monitor}'.")
        .ThrowIfAny();
}
