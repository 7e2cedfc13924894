using Nabla.Core;

namespace Nabla;

/// <summary>How often each true class was predicted as each class.</summary>
/// <param name="Classes">Class names, in the order of rows and columns.</param>
/// <param name="Counts">Row: true class; column: predicted class.</param>
/// <param name="Split">The split it was counted on. Default: test.</param>
public sealed record ReportConfusion(IReadOnlyList<string> Classes, IReadOnlyList<IReadOnlyList<long>> Counts, string Split = "test")
{
    /// <summary>Number of examples.</summary>
    public long Total() => Counts.Sum(row => row.Sum());

    /// <summary>Number of examples on the diagonal.</summary>
    public long Correct() => Enumerable.Range(0, Classes.Count).Sum(i => Counts[i][i]);

    /// <summary>Precision, recall, F1 and number of examples of each class; a value that is not defined is NaN.</summary>
    public IReadOnlyList<ReportClassScore> Scores()
    {
        Validate();
        return [.. Enumerable.Range(0, Classes.Count).Select(i =>
        {
            var (hits, actual, predicted) = (Counts[i][i], Counts[i].Sum(), Counts.Sum(row => row[i]));
            var precision = predicted == 0 ? double.NaN : (double)hits / predicted;
            var recall = actual == 0 ? double.NaN : (double)hits / actual;
            var f1 = actual + predicted == 0 ? double.NaN : 2.0 * hits / (actual + predicted);
            return new ReportClassScore(Classes[i], precision, recall, f1, actual);
        })];
    }

    /// <summary>Checks that the matrix is square, of the size of the class list, and without negative counts.</summary>
    /// <exception cref="OptionsException">It is not.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Counts.Count == Classes.Count, $"Counts must have one row for each of the {Classes.Count} classes; it has {Counts.Count}.")
        .Require(Counts.All(row => row.Count == Classes.Count), $"Each row of Counts must have {Classes.Count} columns; the rows have {string.Join(", ", Counts.Select(row => row.Count).Distinct())}.")
        .Require(Counts.All(row => row.All(count => count >= 0)), "Counts must not be negative.")
        .ThrowIfAny();
}

/// <summary>How well one class is recognised.</summary>
/// <param name="Class">Class name.</param>
/// <param name="Precision">Share of the predictions of this class that are right, in [0, 1]; NaN when it was never predicted.</param>
/// <param name="Recall">Share of the examples of this class that were found, in [0, 1]; NaN when there are none.</param>
/// <param name="F1">Harmonic mean of the two, in [0, 1].</param>
/// <param name="Support">Number of examples of this class.</param>
public sealed record ReportClassScore(string Class, double Precision, double Recall, double F1, long Support);

/// <summary>Predictions of a regression against the truth.</summary>
public sealed record ReportResiduals
{
    /// <summary>What is predicted, with its unit, such as <c>median house value (dollars)</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Actual values of a fair sample; at most 2,000 are drawn.</summary>
    public required IReadOnlyList<double> Actual { get; init; }

    /// <summary>Predicted values, in the same order.</summary>
    public required IReadOnlyList<double> Predicted { get; init; }

    /// <summary>The split it was measured on. Default: test.</summary>
    public string Split { get; init; } = "test";

    /// <summary>Bars over the residuals (predicted minus actual) of the whole split. Default: none; the page then counts the sample.</summary>
    public IReadOnlyList<ReportBin> Histogram { get; init; } = [];

    /// <summary>Checks that both lists have the same length.</summary>
    /// <exception cref="OptionsException">They do not.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Actual.Count == Predicted.Count, $"Actual ({Actual.Count} values) and Predicted ({Predicted.Count} values) must have the same length.")
        .ThrowIfAny();
}

/// <summary>One bar of a histogram.</summary>
/// <param name="Low">Lower bound, included.</param>
/// <param name="High">Upper bound, excluded except in the last bar.</param>
/// <param name="Count">Values between them.</param>
public sealed record ReportBin(double Low, double High, long Count);

/// <summary>What a language model has learned.</summary>
public sealed record ReportLanguage
{
    /// <summary>exp of the mean loss in nats a token on <see cref="Split"/>. Default: NaN, not known.</summary>
    public double Perplexity { get; init; } = double.NaN;

    /// <summary>What a token is: character, word piece, ... Default: token.</summary>
    public string Token { get; init; } = "token";

    /// <summary>The split it was measured on. Default: validation.</summary>
    public string Split { get; init; } = "validation";

    /// <summary>Texts that the model wrote. Default: none.</summary>
    public IReadOnlyList<ReportGeneration> Generations { get; init; } = [];
}

/// <summary>A text that a language model wrote.</summary>
/// <param name="Prompt">What it was given; may be empty.</param>
/// <param name="Text">What it added.</param>
/// <param name="Settings">How it was sampled, such as <c>temperature 0.8, seed 1</c>.</param>
public sealed record ReportGeneration(string Prompt, string Text, string Settings = "");

/// <summary>One example and what the model said about it. It shows a picture, a text or a table row, whichever is set.</summary>
public sealed record ReportSample
{
    /// <summary>What the model said: a class name or a number as text.</summary>
    public required string Predicted { get; init; }

    /// <summary>What is true; null: not known. Default: null.</summary>
    public string? Actual { get; init; }

    /// <summary>Whether the prediction counts as right; null: not a matter of right and wrong. Default: null.</summary>
    public bool? Correct { get; init; }

    /// <summary>The most likely answers, the likeliest first. Default: none.</summary>
    public IReadOnlyList<ReportProbability> Probabilities { get; init; } = [];

    /// <summary>A picture as PNG bytes. Default: null.</summary>
    public byte[]? Picture { get; init; }

    /// <summary>A text. Default: null.</summary>
    public string? Text { get; init; }

    /// <summary>Columns of a table row. Default: none.</summary>
    public IReadOnlyList<ReportFact> Row { get; init; } = [];

    /// <summary>Where the example is found, such as <c>test row 812</c>. Default: null.</summary>
    public string? Source { get; init; }
}

/// <summary>A possible answer and its probability.</summary>
/// <param name="Label">The answer.</param>
/// <param name="Probability">In [0, 1].</param>
public sealed record ReportProbability(string Label, double Probability);

/// <summary>Where the data comes from and what it holds.</summary>
public sealed record ReportDataCard
{
    /// <summary>Name of the data set.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in plain sentences; blank lines part paragraphs. Default: empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>Licence. Default: empty, not known.</summary>
    public string Licence { get; init; } = "";

    /// <summary>Publisher, address or citation. Default: empty.</summary>
    public string Source { get; init; } = "";

    /// <summary>SHA-256 over the content. Default: empty.</summary>
    public string ContentHash { get; init; } = "";

    /// <summary>Splits and their sizes. Default: none.</summary>
    public IReadOnlyList<ReportSplit> Splits { get; init; } = [];

    /// <summary>Further facts, such as picture size or vocabulary. Default: none.</summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];
}

/// <summary>A part of a data set.</summary>
/// <param name="Name">train, validation or test.</param>
/// <param name="Examples">Number of examples.</param>
/// <param name="Labels">Examples of each label; empty where there are no labels.</param>
public sealed record ReportSplit(string Name, long Examples, IReadOnlyList<ReportLabelCount> Labels);

/// <summary>Number of examples of one label.</summary>
/// <param name="Label">The label.</param>
/// <param name="Count">How many examples have it.</param>
public sealed record ReportLabelCount(string Label, long Count);

/// <summary>A model's layers and size.</summary>
public sealed record ReportModel
{
    /// <summary>Family and size, such as <c>resnet-18</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Layers in the order of computation. Default: none.</summary>
    public IReadOnlyList<ReportLayer> Layers { get; init; } = [];

    /// <summary>Number of parameters. Default: 0.</summary>
    public long Parameters { get; init; }

    /// <summary>Number of parameters that training changes. Default: 0.</summary>
    public long TrainableParameters { get; init; }

    /// <summary>Multiply-adds of one example; null: not known. Default: null.</summary>
    public long? MultiplyAdds { get; init; }

    /// <summary>Further facts, such as memory. Default: none.</summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];
}

/// <summary>One layer of a model.</summary>
/// <param name="Name">Its name in the model, such as <c>blocks.0.attention</c>.</param>
/// <param name="Type">Its kind, such as <c>Conv2d</c>.</param>
/// <param name="OutputShape">The shape it gives, such as <c>[batch, 64, 14, 14]</c>.</param>
/// <param name="Parameters">Number of parameters.</param>
/// <param name="MultiplyAdds">Multiply-adds of one example; null: not known.</param>
public sealed record ReportLayer(string Name, string Type, string OutputShape, long Parameters, long? MultiplyAdds = null);
