namespace Nabla.Nn;

/// <summary>Which loss, and its numbers; a property that a loss does not know is refused by <see cref="Validate"/> only where it would mislead.</summary>
public sealed record LossOptions
{
    /// <summary>Name, such as cross-entropy; see <see cref="Losses.Names"/>. Default: cross-entropy.</summary>
    public string Name { get; init; } = "cross-entropy";

    /// <summary>Share of the target given to all classes alike (cross-entropy, binary-cross-entropy), in [0, 1). Default: 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Weight of each class (cross-entropy, nll, focal-classes, multi-margin) or of positive labels (binary-cross-entropy), each at least 0; null: all alike. Default: null.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>A target that counts nothing (cross-entropy, nll, focal-classes). Default: -100, as in PyTorch.</summary>
    public long IgnoreIndex { get; init; } = -100;

    /// <summary>How much less easy examples count (focal, focal-classes), at least 0. Default: 2.</summary>
    public double Gamma { get; init; } = 2;

    /// <summary>Weight of positive targets (focal), in (0, 1); null: none. Default: 0.25.</summary>
    public double? Alpha { get; init; } = 0.25;

    /// <summary>Where the error turns linear (huber, smooth-l1), above 0. Default: 1.</summary>
    public double Delta { get; init; } = 1;

    /// <summary>Distance that costs nothing (multi-margin), above 0. Default: 1.</summary>
    public double Margin { get; init; } = 1;

    /// <summary>The quantiles that the last axis predicts (pinball), each in (0, 1). Default: 0.1, 0.5, 0.9.</summary>
    public IReadOnlyList<double> Quantiles { get; init; } = [0.1, 0.5, 0.9];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf(nameof(Name), Name, Losses.Names)
        .Require(LabelSmoothing is >= 0 and < 1, $"LabelSmoothing must be in [0, 1); it is {LabelSmoothing}.")
        .Require(LabelSmoothing == 0 || Name is "cross-entropy" or "binary-cross-entropy", $"LabelSmoothing ({LabelSmoothing}) works with cross-entropy and binary-cross-entropy only; the loss is {Name}.")
        .Require(ClassWeights is null || (ClassWeights.Count > 0 && ClassWeights.All(weight => weight >= 0 && double.IsFinite(weight)) && ClassWeights.Any(weight => weight > 0)),
            $"ClassWeights must be numbers of at least 0, not all 0; they are [{string.Join(", ", ClassWeights ?? [])}].")
        .Require(ClassWeights is null || Losses.WeightedNames.Contains(Name), $"ClassWeights work with {string.Join(", ", Losses.WeightedNames)} only; the loss is {Name}.")
        .Require(Gamma >= 0, $"Gamma must be at least 0; it is {Gamma}.")
        .Require(Alpha is null or (> 0 and < 1), $"Alpha must be in (0, 1); it is {Alpha}.")
        .Require(Delta > 0, $"Delta must be above 0; it is {Delta}.")
        .Require(Margin > 0, $"Margin must be above 0; it is {Margin}.")
        .Require(Quantiles.Count > 0 && Quantiles.All(quantile => quantile is > 0 and < 1), $"Quantiles must be numbers in (0, 1); they are [{string.Join(", ", Quantiles)}].")
        .ThrowIfAny();
}
