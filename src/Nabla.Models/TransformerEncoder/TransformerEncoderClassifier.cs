namespace Nabla.Models;

/// <summary>
/// Transformer encoder for classes of texts: token and position vectors, pre-norm blocks in which every real token sees every other,
/// a final norm, pooling, a linear head. Sources: Vaswani et al. (2017), arXiv:1706.03762; Xiong et al. (2020), arXiv:2002.04745.
/// Padding has no effect.
/// </summary>
public sealed class TransformerEncoderClassifier : Model
{
    private readonly TokenEmbedding embedding;
    private readonly Parameter? cls;
    private readonly ModuleList<TransformerBlock> blocks;
    private readonly LayerNorm norm;
    private readonly DropoutLayer? dropout;
    private readonly Linear head;
    private readonly TransformerEncoderOptions _options;

    /// <summary>The family <c>transformer</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<TransformerEncoderOptions>(
        "transformer",
        "Transformer encoder",
        "Vaswani et al. (2017), arXiv:1706.03762",
        [ModelTasks.TextClassification],
        (options, input) => new TransformerEncoderClassifier(options, input));

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Size of the vocabulary, longest text and number of classes.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public TransformerEncoderClassifier(TransformerEncoderOptions options, ModelInput input)
        : base(nameof(TransformerEncoderClassifier), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        embedding = TransformerWeights.Embedding(input.Vocabulary, options.Features, input.ContextLength, options.Positions, options.Dropout);
        blocks = new();
        for (var i = 0; i < options.Layers; i++)
        {
            blocks.Add(new TransformerBlock(new()
            {
                Features = options.Features,
                Heads = options.Heads,
                HiddenFeatures = options.HiddenFeatures,
                Activation = options.Activation,
                Dropout = options.Dropout,
                AttentionDropout = options.AttentionDropout,
                UseRotaryPositions = options.Positions == "rotary",
            }));
        }
        cls = options.Pooling == "cls" ? empty(1, 1, options.Features).normal_(0, TransformerWeights.StandardDeviation).AsOwnedParameter() : null;
        norm = LayerNorm([options.Features]);
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        head = Linear(options.Features, input.Outputs);
        RegisterComponents();
        TransformerWeights.Initialize(blocks, head);
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Tokens("TransformerEncoderClassifier.forward", input, Input.ContextLength);
        return WrappedTensorDisposeScope(() =>
        {
            var x = embedding.call(input.Inputs);                                          // [batch, time, features]
            var mask = input.TokenMask();                                                  // [batch, time]
            if (cls is not null)
            {
                var batch = x.Sizes()[0];
                x = cat([cls.expand(batch, 1, -1).to(x.dtype), x], 1);                     // [batch, 1 + time, features]
                mask = mask is null ? null : cat([ones([batch, 1], ScalarType.Bool, mask.device), mask], 1);
            }
            foreach (var block in blocks)
            {
                x = _options.Recompute ? Recompute.Run(block, x, mask) : block.call(x, mask);
            }
            x = norm.call(x);
            var pooled = SequencePooling.Pool(_options.Pooling == "cls" ? "first" : _options.Pooling, x, mask);   // [batch, features]
            return head.call(dropout?.call(pooled) ?? pooled);                             // [batch, classes]
        });
    }
}
