namespace Nabla;

/// <summary>What a model says of one input.</summary>
public sealed record Prediction
{
    /// <summary>The input: a file, a text, or the place of a table's row.</summary>
    public required string Input { get; init; }

    /// <summary>The likeliest class; null when nothing is classified.</summary>
    public string? Label { get; init; }

    /// <summary>Probability of each class, the likeliest first; empty when nothing is classified.</summary>
    public IReadOnlyList<ClassProbability> Probabilities { get; init; } = [];

    /// <summary>Probability of <see cref="Label"/>, in [0, 1]; NaN when nothing is classified.</summary>
    public double Probability => Probabilities.Count > 0 ? Probabilities[0].Probability : double.NaN;

    /// <summary>The predicted number, in the target's own unit; null when no number is predicted.</summary>
    public double? Value { get; init; }

    /// <summary>The generated text, without the prompt; null when no text is generated.</summary>
    public string? Text { get; init; }

    /// <summary>The true answer where the input holds it (a table with its target column); null otherwise.</summary>
    public string? Actual { get; init; }
}

/// <summary>A class and its probability.</summary>
/// <param name="Label">Name of the class.</param>
/// <param name="Probability">In [0, 1].</param>
public sealed record ClassProbability(string Label, double Probability);
