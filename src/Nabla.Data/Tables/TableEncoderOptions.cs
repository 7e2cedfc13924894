using Nabla.Core;

namespace Nabla.Data;

/// <summary>How a table becomes numbers, category ids and targets. Everything is fitted on the training rows only.</summary>
public sealed record TableEncoderOptions
{
    /// <summary>The names of number scalers: <c>standard</c> (mean 0, deviation 1), <c>min-max</c> (0 to 1), <c>robust</c> (median 0, quartile distance 1), <c>quantile</c> (to a normal distribution), <c>none</c>.</summary>
    public static IReadOnlyCollection<string> Scalers { get; } = ["standard", "min-max", "robust", "quantile", "none"];

    /// <summary>The ways to fill a missing number: <c>median</c> or <c>mean</c> of the training rows.</summary>
    public static IReadOnlyCollection<string> Imputations { get; } = ["median", "mean"];

    /// <summary>The scalings of a regression target: <c>standard</c>, <c>log</c> (ln(1 + y), then standard; needs y above -1), <c>none</c>.</summary>
    public static IReadOnlyCollection<string> TargetScalings { get; } = ["standard", "log", "none"];

    /// <summary>Name of the column to be predicted.</summary>
    public required string Target { get; init; }

    /// <summary>Whether the target is a class (true) or a number (false).</summary>
    public required bool IsClassification { get; init; }

    /// <summary>Scaler of number columns, one of <see cref="Scalers"/>. Default: standard.</summary>
    public string Scaler { get; init; } = "standard";

    /// <summary>Scalers of single columns that differ from <see cref="Scaler"/>, by name. Default: none.</summary>
    public IReadOnlyDictionary<string, string> ColumnScalers { get; init; } = new Dictionary<string, string>();

    /// <summary>Columns taken as sign(x) ln(1 + |x|) before scaling, for amounts and counts over several magnitudes. Default: none.</summary>
    public IReadOnlyList<string> LogColumns { get; init; } = [];

    /// <summary>How a missing number is filled, one of <see cref="Imputations"/>. Default: median.</summary>
    public string Imputation { get; init; } = "median";

    /// <summary>Whether each number column with missing training values gets a second feature that is 1 where it was missing. Default: true.</summary>
    public bool MissingIndicator { get; init; } = true;

    /// <summary>A category seen in fewer training rows than this is treated as unknown. At least 1. Default: 1 (all are kept).</summary>
    public int MinCategoryCount { get; init; } = 1;

    /// <summary>Most reference points of the <c>quantile</c> scaler. At least 2. Default: 1000.</summary>
    public int Quantiles { get; init; } = 1000;

    /// <summary>Columns that are not given to the model, such as row numbers. Default: none.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>The classes in the order of their ids; null takes those of the training rows, sorted (numbers by value, else by text). Classification only. Default: null.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Scaling of a regression target, one of <see cref="TargetScalings"/>. Default: standard.</summary>
    public string TargetScaling { get; init; } = "standard";

    /// <summary>Checks the options.</summary>
    /// <exception cref="OptionsException">An option is not valid; all problems are listed.</exception>
    public void Validate()
    {
        var check = OptionsCheck.For(this)
            .Require(!string.IsNullOrEmpty(Target), "Target must name the column to be predicted; it is empty.")
            .OneOf(nameof(Scaler), Scaler, Scalers)
            .OneOf(nameof(Imputation), Imputation, Imputations)
            .OneOf(nameof(TargetScaling), TargetScaling, TargetScalings)
            .Require(MinCategoryCount >= 1, $"MinCategoryCount must be at least 1; it is {MinCategoryCount}.")
            .Require(Quantiles >= 2, $"Quantiles must be at least 2; it is {Quantiles}.")
            .Require(!Ignore.Contains(Target), $"Ignore holds the target column '{Target}'.")
            .Require(Classes is null || IsClassification, "Classes are given, but the task is regression.")
            .Require(Classes is null || Classes.Distinct(StringComparer.Ordinal).Count() == Classes.Count, "Classes holds a name twice.")
            .Require(Classes is null or { Count: >= 2 }, "Classes must hold at least two names.");
        foreach (var (column, scaler) in ColumnScalers)
        {
            check.OneOf($"ColumnScalers['{column}']", scaler, Scalers);
        }
        check.ThrowIfAny();
    }
}
