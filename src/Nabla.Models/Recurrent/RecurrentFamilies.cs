namespace Nabla.Models;

/// <summary>The families <c>lstm</c>, <c>gru</c> and <c>rnn</c>; each is a language model or a classifier, as the task says.</summary>
public static class RecurrentFamilies
{
    /// <summary>Long short-term memory.</summary>
    public static ModelFamily Lstm { get; } = Define("lstm", "Long short-term memory", "Hochreiter and Schmidhuber (1997)", "lstm");

    /// <summary>Gated recurrent units.</summary>
    public static ModelFamily Gru { get; } = Define("gru", "Gated recurrent units", "Cho et al. (2014), arXiv:1406.1078", "gru");

    /// <summary>Plain recurrent network with tanh.</summary>
    public static ModelFamily Rnn { get; } = Define("rnn", "Plain recurrent network", "Elman (1990)", "rnn-tanh");

    private static ModelFamily Define(string name, string title, string source, string cell) => ModelFamily.Define<RecurrentModelOptions>(
        name,
        title,
        source,
        [ModelTasks.LanguageModeling, ModelTasks.TextClassification],
        (options, input) => input.Task == ModelTasks.LanguageModeling
            ? new RecurrentLanguageModel(cell, options, input)
            : new RecurrentClassifier(cell, options, input),
        cell == "lstm" ? WorkKind.Recurrence : WorkKind.OtherRecurrence);
}
