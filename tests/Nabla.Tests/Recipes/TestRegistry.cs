using Nabla.Core;

namespace Nabla.Tests;

/// <summary>A small registry with options of its own, so that these tests depend on no family.</summary>
internal static class TestRegistry
{
    public static RecipeRegistry Create() => new()
    {
        Tasks = [new("image-classification", "Pictures to classes."), new("tabular-regression", "Rows to numbers.")],
        DataSets = [new("shapes"), new("iris"), new("fashion-mnist"), new("adult")],
        Families =
        [
            new("resnet", typeof(ResNetLikeOptions), "Residual network.") { Tasks = ["image-classification"] },
            new("mlp", typeof(MlpLikeOptions)) { Tasks = ["tabular-regression", "image-classification"] },
            new("table-only", typeof(MlpLikeOptions)) { Tasks = ["tabular-regression"] },
        ],
        Augmentations = [new("random-crop", typeof(CropLikeOptions)), new("horizontal-flip", typeof(FlipLikeOptions))],
        Metrics = [new("accuracy"), new("rmse")],
        Names = new Dictionary<string, IReadOnlyList<RecipeName>>
        {
            ["training.optimizer.name"] = [new("adamw"), new("sgd")],
            ["training.schedule.name"] = [new("constant"), new("one-cycle"), new("cosine")],
            ["loss.name"] = [new("cross-entropy"), new("focal"), new("focal-classes")],
        },
    };

    public static RecipeLoader Loader { get; } = new(Create());
}

/// <summary>How wide a block is.</summary>
public enum BlockLike
{
    /// <summary>Plain.</summary>
    BasicBlock,

    /// <summary>Narrow in the middle.</summary>
    Bottleneck,
}

public sealed record ResNetLikeOptions
{
    public int Depth { get; init; } = 18;

    public double Dropout { get; init; }

    public BlockLike Block { get; init; }

    public IReadOnlyList<int> Widths { get; init; } = [64, 128];

    public IReadOnlyList<double?>? Rates { get; init; }

    public void Validate() => OptionsCheck.For(this)
        .Require(Depth is 18 or 34 or 50, $"depth must be 18, 34 or 50; it is {Depth}.")
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(Widths.Count > 0, "widths must not be empty.")
        .ThrowIfAny();
}

public sealed record MlpLikeOptions
{
    public long Hidden { get; init; } = 64;

    public bool UseBias { get; init; } = true;

    public float Scale { get; init; } = 0.1f;

    public IReadOnlyDictionary<string, double>? Extra { get; init; }

    public IReadOnlyDictionary<string, BlockLike> Kinds { get; init; } = new Dictionary<string, BlockLike>();

    public PartLikeOptions Inner { get; init; } = new();

    public PartLikeOptions? Other { get; init; }

    internal void Validate() => OptionsCheck.For(this)
        .Require(Hidden >= 1, $"Hidden must be at least 1; it is {Hidden}.")
        .ThrowIfAny();
}

public sealed record PartLikeOptions
{
    public string Name { get; init; } = "plain";

    public double Rate { get; init; } = 0.5;

    public void Validate() => OptionsCheck.For(this)
        .Require(Rate is > 0 and <= 1, $"rate must be in (0, 1]; it is {Rate}.")
        .ThrowIfAny();
}

public sealed record CropLikeOptions
{
    public int Padding { get; init; } = 4;

    public void Validate() => OptionsCheck.For(this).Require(Padding >= 0, $"padding must be at least 0; it is {Padding}.").ThrowIfAny();
}

public sealed record FlipLikeOptions;
