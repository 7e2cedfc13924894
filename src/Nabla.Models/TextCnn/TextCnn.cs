namespace Nabla.Models;

/// <summary>
/// Convolutional network for text: token vectors, parallel convolutions over time, the largest answer of each filter, a linear head.
/// Source: Kim (2014), arXiv:1408.5882. Padding has no effect: its vectors are 0, each text has a margin of zeros as wide as the
/// widest filter needs, and a window without a real token never wins.
/// </summary>
public sealed class TextCnn : Model
{
    private readonly EmbeddingTable embedding;
    private readonly ModuleList<Conv1d> convolutions;
    private readonly DropoutLayer? dropout, embeddingDropout;
    private readonly Linear head;

    /// <summary>The family <c>text-cnn</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<TextCnnOptions>(
        "text-cnn",
        "Convolutional network for text",
        "Kim (2014), arXiv:1408.5882",
        [ModelTasks.TextClassification],
        (options, input) => new TextCnn(options, input));

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Size of the vocabulary and number of classes.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public TextCnn(TextCnnOptions options, ModelInput input)
        : base(nameof(TextCnn), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        embedding = new(input.Vocabulary, options.Embedding);
        init.uniform_(embedding.Weight, -0.25, 0.25); // as Kim's random vectors, section 3.1
        convolutions = new();
        foreach (var size in options.KernelSizes)
        {
            convolutions.Add(Conv1d(options.Embedding, options.Filters, size, padding: size - 1L));
        }
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        embeddingDropout = options.EmbeddingDropout > 0 ? new DropoutLayer(options.EmbeddingDropout) : null;
        head = Linear(options.Filters * options.KernelSizes.Count, input.Outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Tokens("TextCnn.forward", input, longest: 0);
        return WrappedTensorDisposeScope(() =>
        {
            var x = embedding.call(input.Inputs).transpose(1, 2);        // [batch, embedding, time]
            x = embeddingDropout?.call(x) ?? x;
            var real = input.TokenMask()?.unsqueeze(1).to(x.dtype);      // [batch, 1, time]
            x = real is null ? x : x * real;
            List<Tensor> features = [];
            foreach (var convolution in convolutions)
            {
                var size = convolution.weight!.Sizes()[2];
                var y = convolution.call(x).relu_();                     // [batch, filters, time + size - 1]
                // After relu nothing is below 0, so a window of padding alone, set to 0, never beats a real one.
                y = real is null ? y : y * functional.max_pool1d(functional.pad(real, [size - 1, size - 1]), size, 1);
                features.Add(y.amax([2]));                               // [batch, filters]
            }
            var joined = cat(features, 1);                               // [batch, filters * sizes]
            return head.call(dropout?.call(joined) ?? joined);           // [batch, classes]
        });
    }
}
