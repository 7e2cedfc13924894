using Nabla.Core;

namespace Nabla.Training;

/// <summary>Which optimiser, and its numbers. Defaults are those of PyTorch unless said otherwise.</summary>
public sealed record OptimizerOptions
{
    /// <summary>
    /// Name: adamw, adam, sgd, rmsprop, adagrad, adadelta, adamax, nadam, radam, lion, lamb, adan, adafactor, adafactor-transformers, muon,
    /// schedule-free, asgd, rprop, sparse-adam or lbfgs; docs/training.md says when to use which. Default: adamw.
    /// </summary>
    public string Name { get; init; } = "adamw";

    /// <summary>Learning rate (the peak, where a schedule changes it). Default: 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Weight decay, at least 0; decoupled where the optimiser's name says so (adamw, lion). Default: 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Whether normalisation weights and biases (all parameters with one axis or none) are decayed too. Default: false.</summary>
    public bool DecayNormsAndBiases { get; init; }

    /// <summary>First and second moment decay of the Adam family and Lion (adan: three), each in [0, 1); null: the optimiser's own default. Default: null.</summary>
    public IReadOnlyList<double>? Betas { get; init; }

    /// <summary>Added to the denominator; null: the optimiser's own default. Default: null.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Momentum of SGD, RMSprop and Muon, in [0, 1); null: the optimiser's own default (0, Muon 0.95). Default: null.</summary>
    public double? Momentum { get; init; }

    /// <summary>Nesterov's form of momentum (SGD, Muon); null: the optimiser's own default (false, Muon true). Default: null.</summary>
    public bool? Nesterov { get; init; }

    /// <summary>
    /// Whether the optimiser's state is kept in the host's memory and its step runs there, for models that fill a GPU: two moments a
    /// parameter are saved on the device, gradients and parameters travel in each step. No effect on the CPU, whose memory is the host's. Default: false.
    /// </summary>
    public bool Offload { get; init; }

    /// <summary>Rates and decay of parameters by pattern of their name; the first that fits counts. Default: none.</summary>
    public IReadOnlyList<ParameterGroupOptions>? Groups { get; init; }

    /// <summary>
    /// Layer-wise rates: each layer's rate is this share of the rate of the layer after it, in (0, 1]; null: the same for all. A layer is a numbered
    /// block (<c>blocks.3</c>) or else a part of the model, in the model's order (Howard and Ruder, 2018, arXiv:1801.06146). Default: null.
    /// </summary>
    public double? LayerDecay { get; init; }

    /// <summary>Lookahead around the optimiser; null: none. Default: null.</summary>
    public LookaheadOptions? Lookahead { get; init; }

    /// <summary>The AdamW beside muon, for what muon does not take; null: its defaults. Default: null.</summary>
    public AuxiliaryOptimizerOptions? Auxiliary { get; init; }

    /// <summary>Further numbers of one optimiser by their PyTorch name (a switch is 0 or 1), such as amsgrad, dampening, alpha, ns_steps; docs/training.md lists them. Default: none.</summary>
    public IReadOnlyDictionary<string, double>? Extra { get; init; }

    /// <summary>Checks every value that all optimisers share; the factory checks the name and what belongs to one optimiser.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(LearningRate is > 0 and <= 1e6, $"learning_rate must be above 0 and at most 1e6; it is {LearningRate}.")
        .Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), $"weight_decay must be at least 0; it is {WeightDecay}.")
        .Require(Betas is null || (Betas.Count is 2 or 3 && Betas.All(beta => beta is >= 0 and < 1)), $"betas must be 2 (adan: 3) numbers in [0, 1); it is [{string.Join(", ", Betas ?? [])}].")
        .Require(Epsilon is null or >= 0, $"epsilon must be at least 0; it is {Epsilon}.")
        .Require(Momentum is null or (>= 0 and < 1), $"momentum must be in [0, 1); it is {Momentum}.")
        .Require(LayerDecay is null or (> 0 and <= 1), $"layer_decay must be in (0, 1]; it is {LayerDecay}.")
        .ThrowIfAny();
}
