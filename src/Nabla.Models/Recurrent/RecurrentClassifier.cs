namespace Nabla.Models;

/// <summary>
/// Recurrent classifier of texts: token vectors, recurrent layers in one or both directions, pooling over real tokens, a linear head.
/// Source: Graves and Schmidhuber (2005); pooling: Conneau et al. (2017), arXiv:1705.02364. Padding has no effect.
/// </summary>
public sealed class RecurrentClassifier : Model
{
    private readonly EmbeddingTable embedding;
    private readonly Recurrent recurrent;
    private readonly DropoutLayer? dropout;
    private readonly Linear head;
    private readonly RecurrentModelOptions _options;

    /// <summary>Makes the model.</summary>
    /// <param name="cell">lstm, gru, rnn-tanh or rnn-relu.</param>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Size of the vocabulary and number of classes.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public RecurrentClassifier(string cell, RecurrentModelOptions options, ModelInput input)
        : base(nameof(RecurrentClassifier), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        OptionsCheck.For(options).Require(!options.TieHead, "tie_head is for language-modeling only; classes are no tokens.").ThrowIfAny();
        _options = options;
        embedding = new(input.Vocabulary, options.Embedding, standardDeviation: 0.1);
        recurrent = new(options.Recurrence(cell));
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        head = Linear(recurrent.OutputFeatures, input.Outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Tokens("RecurrentClassifier.forward", input, longest: 0);
        return WrappedTensorDisposeScope(() =>
        {
            var x = embedding.call(input.Inputs);                                  // [batch, time, embedding]
            var counts = input.TokenCounts();                                      // [batch]
            // A text without tokens runs one step on padding, so that the kernel has something; pooling then ignores it.
            var (outputs, state) = recurrent.call(dropout?.call(x) ?? x, counts?.clamp_min(Number.Of(1)), null);
            var pooled = _options.Pooling == "last" ? Last(state, counts) : SequencePooling.Pool(_options.Pooling, outputs, input.TokenMask());
            return head.call(dropout?.call(pooled) ?? pooled);                     // [batch, classes]
        });
    }

    /// <summary>The final states of the last layer's directions side by side, <c>[batch, directions * hidden]</c>; 0 for a text without tokens.</summary>
    private Tensor Last(RecurrentState state, Tensor? counts)
    {
        var directions = _options.IsBidirectional ? 2 : 1;
        var last = state.Hidden.narrow(0, state.Hidden.Sizes()[0] - directions, directions);     // [directions, batch, hidden]
        var joined = last.transpose(0, 1).flatten(1);                                          // [batch, directions * hidden]
        return counts is null ? joined : joined.masked_fill(counts.eq(Number.Of(0)).unsqueeze(-1), Number.Of(0));
    }
}
