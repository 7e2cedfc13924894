namespace Nabla.Models;

/// <summary>What a model must know about the data: the sizes of what goes in and of what comes out. Sizes that a task does not have stay 0.</summary>
public sealed record ModelInput
{
    /// <summary>Kind of problem, one of <see cref="ModelTasks.All"/>.</summary>
    public required string Task { get; init; }

    /// <summary>Size of the answer: number of classes, size of the vocabulary for a language model, of the answers' vocabulary for sequence to sequence, 1 for regression.</summary>
    public required int Outputs { get; init; }

    /// <summary>Channels of a picture. Default: 0.</summary>
    public int Channels { get; init; }

    /// <summary>Height of a picture in pixels. Default: 0.</summary>
    public int Height { get; init; }

    /// <summary>Width of a picture in pixels. Default: 0.</summary>
    public int Width { get; init; }

    /// <summary>Number of numeric columns of a table. Default: 0.</summary>
    public int Features { get; init; }

    /// <summary>Number of ids of each categorical column, id 0 ("unknown or missing") included. Default: none.</summary>
    public IReadOnlyList<int> CategorySizes { get; init; } = [];

    /// <summary>
    /// Ascending bin edges of each numeric column, in the units the model sees (after scaling), for piecewise linear embeddings.
    /// Quantiles of the training split are right; null: those of a standard normal. Default: null.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<double>>? FeatureEdges { get; init; }

    /// <summary>Number of token ids. Default: 0.</summary>
    public int Vocabulary { get; init; }

    /// <summary>Largest number of tokens in an example. Default: 0.</summary>
    public int ContextLength { get; init; }

    /// <summary>Checks that the sizes which <see cref="Task"/> needs are there.</summary>
    /// <exception cref="OptionsException">A size is missing or cannot be.</exception>
    public void Validate()
    {
        var check = OptionsCheck.For(this)
            .OneOf("task", Task, ModelTasks.All)
            .Require(Outputs >= 1, $"outputs must be at least 1; it is {Outputs}.")
            .Require(Task != ModelTasks.TabularRegression || Outputs == 1, $"outputs must be 1 for {ModelTasks.TabularRegression}; it is {Outputs}.")
            .Require(CategorySizes.All(size => size >= 1), $"category_sizes must each be at least 1; they are [{string.Join(", ", CategorySizes)}].")
            .Require(Features >= 0, $"features must be at least 0; it is {Features}.")
            .Require(
                FeatureEdges is null || (FeatureEdges.Count == Features && FeatureEdges.All(edges => edges.Count >= 2 && edges.Zip(edges.Skip(1)).All(pair => pair.First <= pair.Second))),
                $"feature_edges must hold, for each of the {Features} numeric columns, at least 2 ascending edges; there are {FeatureEdges?.Count} lists.");
        _ = Task switch
        {
            ModelTasks.ImageClassification => check.Require(
                Channels >= 1 && Height >= 1 && Width >= 1, $"channels, height and width must be at least 1 for {Task}; they are {Channels}, {Height} and {Width}."),
            ModelTasks.TabularClassification or ModelTasks.TabularRegression => check.Require(
                Features + CategorySizes.Count >= 1, $"features or category_sizes must name at least one column for {Task}; there is none."),
            ModelTasks.TextClassification or ModelTasks.LanguageModeling or ModelTasks.SequenceToSequence => check
                .Require(Vocabulary >= 1, $"vocabulary must be at least 1 for {Task}; it is {Vocabulary}.")
                .Require(ContextLength >= 1, $"context_length must be at least 1 for {Task}; it is {ContextLength}."),
            _ => check,
        };
        check.ThrowIfAny();
    }
}
