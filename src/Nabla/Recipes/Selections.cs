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
