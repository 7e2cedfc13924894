namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="Mlp"/>.</summary>
public sealed record MlpOptions
{
    internal static readonly IReadOnlyList<string> Blocks = ["plain", "residual"];
    internal static readonly IReadOnlyList<string> Norms = ["none", "batch", "layer"];
    internal static readonly IReadOnlyList<string> NumericEmbeddings = ["none", "linear", "periodic", "piecewise-linear"];

    /// <summary>Width of each hidden layer, in features, each at least 1; with residual blocks all are equal. Empty: a linear model. Default: [256, 256].</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [256, 256];

    /// <summary>Activation by name: relu, gelu, silu, tanh, leaky-relu and others of <see cref="ActivationFunctions.Names"/>. Default: relu.</summary>
    public string Activation { get; init; } = "relu";

    /// <summary>Normalisation in each block: none, batch or layer. Default: none.</summary>
    public string Norm { get; init; } = "none";

    /// <summary>Chance of dropping a hidden unit while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>plain: linear, norm, activation, dropout. residual: the tabular ResNet of Gorishniy et al. (2021), arXiv:2106.11959. Default: plain.</summary>
    public string Block { get; init; } = "plain";

    /// <summary>Inner width of a residual block as a multiple of its outer width, above 0. Default: 2.</summary>
    public double Expansion { get; init; } = 2;

    /// <summary>Size of the vector of each categorical column, at least 1; null: min(50, (n + 1) / 2) for n ids. Default: null.</summary>
    public int? CategoryEmbedding { get; init; }

    /// <summary>
    /// How numeric columns enter: none (as they are), linear (weight and relu for each column), periodic (sines and cosines of learned
    /// frequencies, then linear and relu) or piecewise-linear (position among quantiles, then linear). The last two make
    /// networks much better on tables: Gorishniy et al. (2022), arXiv:2203.05556. Default: none.
    /// </summary>
    public string NumericEmbedding { get; init; } = "none";

    /// <summary>Size of the vector of each numeric column, at least 1 (without effect when NumericEmbedding is none). Default: 24.</summary>
    public int NumericEmbeddingSize { get; init; } = 24;

    /// <summary>Learned frequencies of each column (periodic), at least 1. Default: 48.</summary>
    public int Frequencies { get; init; } = 48;

    /// <summary>Standard deviation of the initial frequencies (periodic), in cycles a unit of the scaled column, above 0. The one setting worth tuning: 0.01 to 1. Default: 0.1.</summary>
    public double FrequencyScale { get; init; } = 0.1;

    /// <summary>Whether all columns share the linear layer after the sines (periodic), which is smaller and faster. Default: false.</summary>
    public bool ShareNumericLayer { get; init; }

    /// <summary>Bins of each column (piecewise-linear) where the data gives no edges, at least 2. Default: 32.</summary>
    public int Bins { get; init; } = 32;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Hidden.All(width => width >= 1), $"hidden must hold widths of at least 1; it is [{string.Join(", ", Hidden)}].")
        .Require(Block != "residual" || (Hidden.Count >= 1 && Hidden.Distinct().Count() == 1), $"hidden must be one width repeated when block is residual; it is [{string.Join(", ", Hidden)}].")
        .OneOf("activation", Activation, ActivationFunctions.Names)
        .OneOf("norm", Norm, Norms)
        .OneOf("block", Block, Blocks)
        .OneOf("numeric_embedding", NumericEmbedding, NumericEmbeddings)
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(Expansion > 0 && double.IsFinite(Expansion), $"expansion must be above 0; it is {Expansion}.")
        .Require(CategoryEmbedding is null or >= 1, $"category_embedding must be at least 1; it is {CategoryEmbedding}.")
        .Require(NumericEmbeddingSize >= 1, $"numeric_embedding_size must be at least 1; it is {NumericEmbeddingSize}.")
        .Require(Frequencies >= 1, $"frequencies must be at least 1; it is {Frequencies}.")
        .Require(FrequencyScale > 0 && double.IsFinite(FrequencyScale), $"frequency_scale must be above 0; it is {FrequencyScale}.")
        .Require(Bins >= 2, $"bins must be at least 2; it is {Bins}.")
        .ThrowIfAny();

    /// <summary>Size of the vector of a column of <paramref name="ids"/> ids.</summary>
    internal int CategorySize(int ids) => CategoryEmbedding ?? Math.Min(50, (ids + 1) / 2);
}
