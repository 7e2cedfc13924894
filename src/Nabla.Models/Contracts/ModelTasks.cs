namespace Nabla.Models;

/// <summary>Names of the kinds of problem that a model family can be built for, as a recipe's <c>task</c> spells them.</summary>
public static class ModelTasks
{
    /// <summary>A picture belongs to one of some classes.</summary>
    public const string ImageClassification = "image-classification";

    /// <summary>A text belongs to one of some classes.</summary>
    public const string TextClassification = "text-classification";

    /// <summary>A row of a table belongs to one of some classes.</summary>
    public const string TabularClassification = "tabular-classification";

    /// <summary>A row of a table has a number as its answer.</summary>
    public const string TabularRegression = "tabular-regression";

    /// <summary>Each token of a text is predicted from those before it.</summary>
    public const string LanguageModeling = "language-modeling";

    /// <summary>A text is answered by another text, such as its translation.</summary>
    public const string SequenceToSequence = "sequence-to-sequence";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
        [ImageClassification, TextClassification, TabularClassification, TabularRegression, LanguageModeling, SequenceToSequence];
}
