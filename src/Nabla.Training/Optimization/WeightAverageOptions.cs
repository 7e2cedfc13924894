using Nabla.Core;

namespace Nabla.Training;

/// <summary>How the weights of a run are averaged.</summary>
public sealed record WeightAverageOptions
{
    /// <summary>Share of the average that stays at each update, in [0, 1). Default: 0.999.</summary>
    public double Decay { get; init; } = 0.999;

    /// <summary>How the decay grows at the start. Default: constant.</summary>
    public WeightAverageWarmup Warmup { get; init; } = WeightAverageWarmup.Constant;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Decay is >= 0 and < 1, $"decay must be in [0, 1); it is {Decay}.")
        .Require(Enum.IsDefined(Warmup), $"warmup must be one of {string.Join(", ", Enum.GetNames<WeightAverageWarmup>())}; it is {Warmup}.")
        .ThrowIfAny();

    /// <summary>Decay of one update; the first one copies.</summary>
    /// <param name="update">Number of the update, from 0.</param>
    internal double DecayAt(long update) => update == 0 ? 0 : Warmup switch
    {
        WeightAverageWarmup.Constant => Decay,
        WeightAverageWarmup.Rational => Math.Min(Decay, (1.0 + update) / (10 + update)),
        WeightAverageWarmup.Exponential => Decay * (1 - Math.Exp(-update / 10.0)),
        _ => update / (update + 1.0),
    };
}

/// <summary>How the decay of a weight average grows at the start, so that early weights do not linger. t counts updates from 0.</summary>
public enum WeightAverageWarmup
{
    /// <summary>The decay is the same from the second update on.</summary>
    Constant,

    /// <summary><c>min(decay, (1 + t) / (10 + t))</c>, as in TensorFlow's moving averages.</summary>
    Rational,

    /// <summary><c>decay * (1 - exp(-t / 10))</c>.</summary>
    Exponential,

    /// <summary><c>t / (t + 1)</c>: the plain mean of all updates, stochastic weight averaging (Izmailov et al., 2018). The decay is not used.</summary>
    Mean,
}
