namespace Nabla.Models;

/// <summary>
/// Transformer decoder for text: token and position vectors, pre-norm blocks in which a token sees itself and what came before, a final
/// norm, a head tied to the token vectors. Source: Radford et al. (2019), "Language Models are Unsupervised Multitask Learners", laid
/// out as nanoGPT. Padding after the real tokens needs no mask, because nothing earlier sees it.
/// </summary>
public sealed class Gpt : LanguageModel, IOwnOperations
{
    private readonly TokenEmbedding embedding;
    private readonly ModuleList<TransformerBlock> blocks;
    private readonly Module<Tensor, Tensor> norm;
    private readonly Linear? head;
    private readonly GptOptions _options;
    private readonly int _context;

    /// <summary>The family <c>gpt</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<GptOptions>(
        "gpt",
        "Transformer decoder",
        "Radford et al. (2019), Language Models are Unsupervised Multitask Learners",
        [ModelTasks.LanguageModeling],
        (options, input) => new Gpt(options, input),
        takesPackedRows: true);

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Size of the vocabulary and length of the examples.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public Gpt(GptOptions options, ModelInput input)
        : base(nameof(Gpt), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _context = options.ContextLength ?? input.ContextLength;
        OptionsCheck.For(options)
            .Require(_context >= input.ContextLength, $"context_length ({_context}) must be at least the length of the training examples ({input.ContextLength}).")
            .Require(!options.TieHead || input.Outputs == input.Vocabulary, $"tie_head needs as many outputs ({input.Outputs}) as token ids ({input.Vocabulary}).")
            .ThrowIfAny();
        embedding = TransformerWeights.Embedding(input.Vocabulary, options.Features, _context, options.Positions, options.Dropout);
        blocks = new();
        for (var i = 0; i < options.Layers; i++)
        {
            blocks.Add(new TransformerBlock(new()
            {
                Features = options.Features,
                Heads = options.Heads,
                KeyValueHeads = options.KeyValueHeads,
                HiddenFeatures = options.HiddenFeatures,
                Activation = options.Activation,
                IsGated = options.IsGated,
                Normalization = options.Normalization,
                Dropout = options.Dropout,
                AttentionDropout = options.AttentionDropout,
                UseBias = options.UseBias,
                IsCausal = true,
                UseRotaryPositions = options.Positions == "rotary",
            }));
        }
        norm = options.Normalization == "rms-norm" ? new RmsNorm(options.Features) : LayerNorm([options.Features]);
        head = options.TieHead ? null : Linear(options.Features, input.Outputs, hasBias: false);
        RegisterComponents();
        TransformerWeights.Initialize(blocks, head);
    }

    /// <inheritdoc/>
    public override int? ContextLimit => _context;

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Tokens("Gpt.forward", input, _context);
        return WrappedTensorDisposeScope(() => Score(Run(input)));   // [batch, time, vocab]
    }

    /// <inheritdoc/>
    public override TokenDecoder StartDecoding() => new Decoder(this);

    long IOwnOperations.OwnMultiplyAdds(IReadOnlyList<long[]> inputs, IReadOnlyList<long[]> outputs)
        => head is null ? outputs[0][0] * outputs[0][1] * outputs[0][2] * _options.Features : 0;

    private Tensor Run(ModelBatch input)                                    // [batch, time] -> [batch, time, features]
    {
        var x = input.Positions is null ? embedding.call(input.Inputs) : embedding.EmbedAt(input.Inputs, input.Positions);
        // Rotary positions act by distances, which are the same in a packed row.
        var sameText = input.Documents is { } documents ? documents.unsqueeze(2).eq(documents.unsqueeze(1)).unsqueeze(1) : null; // [batch, 1, time, time]
        foreach (var block in blocks)
        {
            x = _options.Recompute ? Recompute.Run(block, x, sameText) : block.call(x, sameText);
        }
        return Normalizations.Apply(norm, x, isForProduct: true);
    }

    private Tensor Score(Tensor x) => head?.call(x) ?? embedding.Tokens.Score(x);

    /// <summary>
    /// Keeps keys and values of the text so far, so a token costs one step. A text longer than the context is its last tokens, whose places change with each new one: from then on the
    /// whole window is computed for each token.
    /// </summary>
    private sealed class Decoder(Gpt model) : TokenDecoder
    {
        private readonly List<long> _tokens = [];
        private readonly List<KeyValueCache> _past = [.. model.blocks.Select(_ => new KeyValueCache())];

        public override Tensor Append(ReadOnlySpan<long> tokens)
        {
            var known = _past[0].Time;
            _tokens.AddRange(tokens);
            if (_tokens.Count > model._context)
            {
                _tokens.RemoveRange(0, _tokens.Count - model._context);
                Forget();
                return WrappedTensorDisposeScope(() => LastOf(model.Run(Ids(_tokens))));
            }
            if (known > 0 && tokens.Length != 1)
            {
                Forget();
                known = 0;
            }
            try
            {
                return WrappedTensorDisposeScope(() => LastOf(Run(known)));
            }
            catch
            {
                Forget(); // some blocks know the new tokens and some do not; the next call begins anew
                _tokens.RemoveRange(_tokens.Count - tokens.Length, tokens.Length);
                throw;
            }
        }

        private Tensor Run(long known)
        {
            var x = model.embedding.Embed(Ids(_tokens[(int)known..]), known);                                     // [1, time, features]
            foreach (var (block, past) in model.blocks.Zip(_past))
            {
                x = block.Next(x, past);
            }
            return Normalizations.Apply(model.norm, x, isForProduct: true);
        }

        protected override void Dispose(bool disposing)
        {
            Forget();
            base.Dispose(disposing);
        }

        private void Forget() => _past.ForEach(past => past.Dispose());

        private Tensor Ids(List<long> tokens) => tensor(tokens.ToArray(), device: model.embedding.Tokens.Weight.device).unsqueeze(0); // [1, time]

        private Tensor LastOf(Tensor x) => model.Score(x.select(1, -1)).squeeze(0);                               // [vocab]
    }
}
