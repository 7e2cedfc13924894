namespace Nabla.Models;

/// <summary>The model families that a recipe can name. Thread-safe.</summary>
public static class ModelFamilies
{
    /// <summary>All families, in the order of the documentation.</summary>
    public static IReadOnlyList<ModelFamily> All { get; } =
    [
        Mlp.Family,
        Cnn.Family,
        ResNet.Family,
        TextCnn.Family,
        RecurrentFamilies.Lstm,
        RecurrentFamilies.Gru,
        RecurrentFamilies.Rnn,
        TransformerEncoderClassifier.Family,
        Gpt.Family,
        EncoderDecoder.Family,
    ];

    /// <summary>The families that can do <paramref name="task"/>.</summary>
    /// <param name="task">One of <see cref="ModelTasks.All"/>.</param>
    public static IEnumerable<ModelFamily> For(string task) => All.Where(family => family.Tasks.Contains(task));

    /// <summary>The family called <paramref name="name"/>.</summary>
    /// <param name="name">Name in a recipe, such as <c>resnet</c>.</param>
    /// <exception cref="OptionsException">There is no such family; the message names the nearest.</exception>
    public static ModelFamily Find(string name)
        => All.FirstOrDefault(family => family.Name == name)
            ?? throw new OptionsException("model", [$"family '{name}' is not known. {NearestName.Suggest(name, [.. All.Select(family => family.Name)])}"]);

    /// <summary>Makes a model of the family called <paramref name="family"/>. The caller owns it.</summary>
    /// <param name="family">Name of the family.</param>
    /// <param name="options">Its options; null: all defaults.</param>
    /// <param name="input">Sizes of the data.</param>
    public static Model Create(string family, object? options, ModelInput input) => Find(family).Create(options, input);
}
