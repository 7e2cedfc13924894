using Nabla.Core;

namespace Nabla;

/// <summary>A model family and its options: <c>model: {family: resnet, depth: 18}</c>.</summary>
public sealed record ModelSelection
{
    /// <summary>Name of the family, such as resnet.</summary>
    public required string Family { get; init; }

    /// <summary>The family's options record, of the type that the family declares.</summary>
    public required object Options { get; init; }
}

/// <summary>One augmentation and its options: <c>random-crop: {padding: 2}</c>, or the bare name.</summary>
public sealed record AugmentationSelection
{
    /// <summary>Name of the augmentation, such as random-crop.</summary>
    public required string Name { get; init; }

    /// <summary>The augmentation's options record, of the type that the augmentation declares.</summary>
    public required object Options { get; init; }
}

/// <summary>What is minimised: <c>loss: {name: focal, gamma: 2}</c>, or the bare name.</summary>
public sealed record LossSelection
{
    /// <summary>Name of the loss, such as cross-entropy, focal, mse, huber.</summary>
    public required string Name { get; init; }

    /// <summary>Weight of each class in the order of the classes, each at least 0; null: all alike. Default: null.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Weighs each class by the inverse of how often it comes in the training split. Default: false.</summary>
    public bool BalanceClasses { get; init; }

    /// <summary>Numbers of this loss by name, such as gamma (focal), delta (huber). Default: none.</summary>
    public IReadOnlyDictionary<string, double>? Extra { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(ClassWeights is null || ClassWeights.All(weight => weight >= 0), $"class_weights must be numbers of at least 0; it is [{string.Join(", ", ClassWeights ?? [])}].")
        .Require(ClassWeights is null || !BalanceClasses, "class_weights and balance_classes exclude each other; keep one of them.")
        .ThrowIfAny();
}
