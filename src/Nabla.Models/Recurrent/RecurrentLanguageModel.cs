namespace Nabla.Models;

/// <summary>
/// Recurrent language model: token vectors, recurrent layers, a head at each step. Source: Mikolov et al. (2010), and Zaremba
/// et al. (2014), arXiv:1409.2329, for where dropout stands. Padding after the real tokens needs no mask, because nothing earlier reads it.
/// </summary>
public sealed class RecurrentLanguageModel : LanguageModel, IOwnOperations
{
    private readonly EmbeddingTable embedding;
    private readonly Recurrent recurrent;
    private readonly DropoutLayer? dropout;
    private readonly Linear? head;

    /// <summary>Makes the model.</summary>
    /// <param name="cell">lstm, gru, rnn-tanh or rnn-relu.</param>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Size of the vocabulary.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public RecurrentLanguageModel(string cell, RecurrentModelOptions options, ModelInput input)
        : base(nameof(RecurrentLanguageModel), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        OptionsCheck.For(options)
            .Require(!options.IsBidirectional, "is_bidirectional must be false for language-modeling: a token must not see those after it.")
            .Require(!options.TieHead || input.Outputs == input.Vocabulary, $"tie_head needs as many outputs ({input.Outputs}) as token ids ({input.Vocabulary}).")
            .ThrowIfAny();
        embedding = new(input.Vocabulary, options.Embedding, standardDeviation: options.TieHead ? 1 / Math.Sqrt(options.Hidden) : 1); // tied: logits of size 1
        recurrent = new(options.Recurrence(cell));
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        head = options.TieHead ? null : Linear(options.Hidden, input.Outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int? ContextLimit => null;

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Tokens("RecurrentLanguageModel.forward", input, longest: 0);
        using var scope = NewDisposeScope();
        return Score(Run(input.Inputs, null).Outputs).MoveToOuterDisposeScope();   // [batch, time, vocab]
    }

    /// <summary>Goes on from a state: for training on pieces of a long text, and for generation. Hooks of this model do not run.</summary>
    /// <param name="ids">Token ids, <c>[batch, time]</c> (int64).</param>
    /// <param name="state">Where the last piece ended (<see cref="RecurrentState.Detach"/> it between steps); null: a beginning.</param>
    /// <returns>Logits <c>[batch, time, vocab]</c> and the state after the last token; the caller owns both.</returns>
    public (Tensor Logits, RecurrentState State) Continue(Tensor ids, RecurrentState? state)
    {
        Guards.Tokens("RecurrentLanguageModel.Continue", ids, longest: 0);
        using var scope = NewDisposeScope();
        var (outputs, next) = Run(ids, state);
        return (Score(outputs).MoveToOuterDisposeScope(), next.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public override TokenDecoder StartDecoding() => new Decoder(this);

    long IOwnOperations.OwnMultiplyAdds(IReadOnlyList<long[]> inputs, IReadOnlyList<long[]> outputs)
        => head is null ? outputs[0][0] * outputs[0][1] * outputs[0][2] * embedding.Features : 0;

    private RecurrentOutput Run(Tensor ids, RecurrentState? state)
    {
        var x = embedding.call(ids);                           // [batch, time, embedding]
        return recurrent.call(dropout?.call(x) ?? x, null, state);
    }

    private Tensor Score(Tensor x)                             // [batch, time, hidden] -> [batch, time, vocab]
    {
        var h = dropout?.call(x) ?? x;
        return head?.call(h) ?? embedding.Score(h);
    }

    /// <summary>Carries the state from token to token.</summary>
    private sealed class Decoder(RecurrentLanguageModel model) : TokenDecoder
    {
        private RecurrentState? _state;

        public override Tensor Append(ReadOnlySpan<long> tokens)
        {
            using var scope = NewDisposeScope();
            var (outputs, next) = model.Run(tensor(tokens.ToArray(), device: model.embedding.Weight.device).unsqueeze(0), _state);
            _state?.Dispose();
            next.Hidden.DetachFromDisposeScope();
            next.Memory?.DetachFromDisposeScope();
            _state = next;
            return model.Score(outputs.select(1, -1)).squeeze(0).MoveToOuterDisposeScope();   // [vocab]
        }

        protected override void Dispose(bool disposing)
        {
            _state?.Dispose();
            base.Dispose(disposing);
        }
    }
}
