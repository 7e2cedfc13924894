namespace Nabla.Models;

/// <summary>
/// A complete model of one family. Classifiers give logits <c>[batch, classes]</c>, regressors values <c>[batch]</c>, language
/// models logits <c>[batch, time, vocab]</c>. Initial weights come from torch's global generator: call <c>torch.manual_seed</c>
/// before construction to fix them. The creator owns the model; it is not thread-safe while training.
/// </summary>
public abstract class Model : Module<ModelBatch, Tensor>
{
    /// <summary>Notes what the model was built for.</summary>
    /// <param name="name">Name of the model class.</param>
    /// <param name="input">Sizes of the data.</param>
    protected Model(string name, ModelInput input)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(input);
        input.Validate();
        Input = input;
    }

    /// <summary>Sizes of the data that the model was built for.</summary>
    public ModelInput Input { get; }

    /// <summary>Number of values in all parameters.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());
}
