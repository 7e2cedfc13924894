using Nabla.Core;

namespace Nabla.Training;

/// <summary>An average of the weights beside the weights; the average is what is evaluated and served. <c>ema_decay</c> is the short form of an ema.</summary>
public sealed record AveragingOptions
{
    /// <summary>ema (recent weights count more) or swa (all weights since the start count the same; Izmailov et al., 2018, arXiv:1803.05407). Default: ema.</summary>
    public string Name { get; init; } = "ema";

    /// <summary>Share of the average that stays at each update (ema), in [0, 1). Default: 0.999.</summary>
    public double Decay { get; init; } = 0.999;

    /// <summary>How the decay grows at the start (ema): constant, rational or exponential. Default: constant.</summary>
    public string Warmup { get; init; } = "constant";

    /// <summary>Share of all steps before the first weights are taken in, in [0, 1); until then the average is the weights. Null: 0 (ema), 0.75 (swa). Default: null.</summary>
    public double? StartFraction { get; init; }

    /// <summary>Steps between two updates, at least 1; null: 1 (ema), an epoch (swa). Default: null.</summary>
    public long? EverySteps { get; init; }

    /// <summary>Learning rate that is held while averaging (swa), as a share of the peak rate, in (0, 1]; null: the schedule goes on. Default: null.</summary>
    public double? LearningRateFraction { get; init; }

    /// <summary>Epochs in which the rate goes from the schedule's to that one (swa), at least 0. Default: 1.</summary>
    public double AnnealEpochs { get; init; } = 1;

    /// <summary>Form of that way (swa): cosine or linear. Default: cosine.</summary>
    public string Annealing { get; init; } = "cosine";

    /// <summary>Training batches over which the statistics of batch normalisations are computed for the average, at least 0; null: 0 (ema, whose buffers follow the weights), 100 (swa). Default: null.</summary>
    public int? BatchNormBatches { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf("name", Name, Names)
        .Require(Decay is >= 0 and < 1, $"decay must be in [0, 1); it is {Decay}.")
        .OneOf("warmup", Warmup, Warmups)
        .Require(StartFraction is null or (>= 0 and < 1), $"start_fraction must be in [0, 1); it is {StartFraction}.")
        .Require(EverySteps is null or >= 1, $"every_steps must be at least 1; it is {EverySteps}.")
        .Require(LearningRateFraction is null or (> 0 and <= 1), $"learning_rate_fraction must be in (0, 1]; it is {LearningRateFraction}.")
        .Require(LearningRateFraction is null || Name != "ema", "learning_rate_fraction belongs to swa; leave it out for ema.")
        .Require(AnnealEpochs >= 0 && double.IsFinite(AnnealEpochs), $"anneal_epochs must be at least 0; it is {AnnealEpochs}.")
        .OneOf("annealing", Annealing, Annealings)
        .Require(BatchNormBatches is null or >= 0, $"batch_norm_batches must be at least 0; it is {BatchNormBatches}.")
        .ThrowIfAny();

    /// <summary>Valid values of <see cref="Name"/>.</summary>
    public static IReadOnlyCollection<string> Names { get; } = ["ema", "swa"];

    /// <summary>Valid values of <see cref="Warmup"/>.</summary>
    public static IReadOnlyCollection<string> Warmups { get; } = ["constant", "rational", "exponential"];

    /// <summary>Valid values of <see cref="Annealing"/>.</summary>
    public static IReadOnlyCollection<string> Annealings { get; } = ["cosine", "linear"];

    internal bool IsSwa => Name == "swa";

    internal WeightAverageOptions ToWeightAverage() => new()
    {
        Decay = Decay,
        Warmup = IsSwa ? WeightAverageWarmup.Mean : Warmup switch
        {
            "rational" => WeightAverageWarmup.Rational,
            "exponential" => WeightAverageWarmup.Exponential,
            _ => WeightAverageWarmup.Constant,
        },
    };

    /// <summary>First step whose weights are taken in.</summary>
    internal long StartStep(long? totalSteps) => (long)Math.Round((StartFraction ?? (IsSwa ? 0.75 : 0)) * (totalSteps ?? 0));

    /// <summary>Steps between updates.</summary>
    internal long Interval(long? stepsPerEpoch) => EverySteps ?? (IsSwa ? stepsPerEpoch ?? 1 : 1);

    internal int BatchNorms => BatchNormBatches ?? (IsSwa ? 100 : 0);
}
