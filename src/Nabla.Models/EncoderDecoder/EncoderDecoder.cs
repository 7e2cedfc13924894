namespace Nabla.Models;

/// <summary>
/// Transformer that answers a text by a text: an encoder in which every real source token sees every other, a decoder in which an answer token
/// sees those before it and the whole source. Sources: Vaswani et al. (2017), arXiv:1706.03762; pre-norm: Xiong et al. (2020),
/// arXiv:2002.04745. Padding of source and answer has no effect on real tokens. In training the whole answer, shifted by one, is given at
/// once (teacher forcing).
/// </summary>
public sealed class EncoderDecoder : Model, IOwnOperations
{
    private readonly TokenEmbedding source;
    private readonly TokenEmbedding? answer;
    private readonly ModuleList<TransformerBlock> encoder;
    private readonly ModuleList<DecoderBlock> decoder;
    private readonly Module<Tensor, Tensor>? encoderNorm, decoderNorm;
    private readonly Linear? head;
    private readonly EncoderDecoderOptions _options;

    /// <summary>The family <c>encoder-decoder</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<EncoderDecoderOptions>(
        "encoder-decoder",
        "Transformer encoder and decoder",
        "Vaswani et al. (2017), arXiv:1706.03762",
        [ModelTasks.SequenceToSequence],
        (options, input) => new EncoderDecoder(options, input));

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Sizes of the source vocabulary and of the answers' (<see cref="ModelInput.Outputs"/>), and the longest text of both.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public EncoderDecoder(EncoderDecoderOptions options, ModelInput input)
        : base(nameof(EncoderDecoder), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        OptionsCheck.For(options)
            .Require(!options.ShareTokens || input.Vocabulary == input.Outputs, $"share_tokens needs one vocabulary; the source has {input.Vocabulary} tokens and the answers {input.Outputs}.")
            .ThrowIfAny();
        _options = options;
        source = TransformerWeights.Embedding(input.Vocabulary, options.Features, input.ContextLength, options.Positions, options.Dropout);
        answer = options.ShareTokens ? null : TransformerWeights.Embedding(input.Outputs, options.Features, input.ContextLength, options.Positions, options.Dropout);
        var block = new TransformerBlockOptions
        {
            Features = options.Features,
            Heads = options.Heads,
            HiddenFeatures = options.HiddenFeatures,
            Activation = options.Activation,
            NormalizeFirst = options.NormalizeFirst,
            Dropout = options.Dropout,
            AttentionDropout = options.AttentionDropout,
        };
        encoder = ModuleList([.. Enumerable.Range(0, options.EncoderLayers).Select(_ => new TransformerBlock(block))]);
        decoder = ModuleList([.. Enumerable.Range(0, options.DecoderLayers).Select(_ => new DecoderBlock(block))]);
        (encoderNorm, decoderNorm) = options.NormalizeFirst ? (LayerNorm(options.Features), LayerNorm(options.Features)) : (null, null); // post-norm blocks end in one
        head = options.TieHead ? null : Linear(options.Features, input.Outputs, hasBias: false);
        RegisterComponents();
        TransformerWeights.Initialize(encoder, head);
        TransformerWeights.Initialize(decoder);
    }

    /// <summary>Scores of the next token at every place of the answer.</summary>
    /// <param name="input">Source tokens, and as <see cref="ModelBatch.Decoder"/> the answer's shifted by one.</param>
    /// <returns><c>[batch, answerTime, vocab]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="ArgumentException">The answer's tokens are missing.</exception>
    public override Tensor forward(ModelBatch input)
    {
        const string Where = "EncoderDecoder.forward";
        Guards.Tokens(Where, input, Input.ContextLength);
        var tokens = input.Decoder ?? throw new ArgumentException($"{Where}: expected the answer's tokens in ModelBatch.Decoder, got null. Give the answer shifted by one behind a start token, or use Generate.", nameof(input));
        Guards.Tokens(Where, new ModelBatch(tokens, input.DecoderMask), Input.ContextLength);
        if (tokens.Sizes()[0] != input.Inputs.Sizes()[0])
        {
            throw new ShapeException(Where, nameof(ModelBatch.Decoder), $"[batch={input.Inputs.Sizes()[0]}, answerTime]", tokens.Sizes(), "Source and answer have one row for each example.");
        }
        return WrappedTensorDisposeScope(() =>
        {
            var mask = input.TokenMask();                                          // [batch, time]
            var memory = Encode(input.Inputs, mask);                               // [batch, time, features]
            var x = Answers.call(tokens);                                          // [batch, answerTime, features]
            foreach (var block in decoder)
            {
                x = block.call(new DecoderInput(x, memory, input.DecoderMask, mask));
            }
            return Score(Normalize(decoderNorm, x));                               // [batch, answerTime, vocab]
        });
    }

    /// <summary>Begins answering sources, step by step. Set eval mode and <c>no_grad</c> first. The caller owns the result, which borrows this model.</summary>
    /// <param name="input">Source tokens; what is given for the decoder is not looked at.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public AnswerDecoder StartDecoding(ModelBatch input)
    {
        Guards.Tokens("EncoderDecoder.StartDecoding", input, Input.ContextLength);
        using var scope = NewDisposeScope();
        var mask = input.TokenMask();
        var memory = Encode(input.Inputs, mask);
        return new(this, [.. decoder.Select(block => block.Cross.Remember(memory, mask))]);
    }

    /// <summary>The most likely answer of each source, token by token. Runs in eval mode and without gradients, and restores the mode.</summary>
    /// <param name="input">Source tokens.</param>
    /// <param name="startToken">Token that stands before every answer.</param>
    /// <param name="endToken">Token behind which an answer has ended.</param>
    /// <param name="maxTokens">Most tokens of an answer, at least 1 and at most <see cref="ModelInput.ContextLength"/>.</param>
    /// <returns>The tokens of each answer, without start and end.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of tokens, or a token, is out of range.</exception>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public IReadOnlyList<IReadOnlyList<long>> Generate(ModelBatch input, long startToken, long endToken, int maxTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxTokens, Input.ContextLength);
        ArgumentOutOfRangeException.ThrowIfNegative(startToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(startToken, Input.Outputs);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var wasTraining = training;
        eval();
        try
        {
            using var answers = StartDecoding(input);
            var texts = Enumerable.Range(0, (int)input.Inputs.Sizes()[0]).Select(_ => new List<long>()).ToArray();
            var open = Enumerable.Repeat(true, texts.Length).ToArray();
            var last = Enumerable.Repeat(startToken, texts.Length).ToArray();
            for (var place = 0; place < maxTokens && open.Contains(true); place++)
            {
                using var step = NewDisposeScope();
                last = answers.Append(last).argmax(-1).cpu().data<long>().ToArray();
                for (var row = 0; row < texts.Length; row++)
                {
                    open[row] &= last[row] != endToken;
                    if (open[row])
                    {
                        texts[row].Add(last[row]);
                    }
                }
            }
            return texts;
        }
        finally
        {
            train(wasTraining);
        }
    }

    long IOwnOperations.OwnMultiplyAdds(IReadOnlyList<long[]> inputs, IReadOnlyList<long[]> outputs)
        => head is null ? outputs[0][0] * outputs[0][1] * outputs[0][2] * _options.Features : 0;

    private TokenEmbedding Answers => answer ?? source;

    /// <summary>The scores of the next token after one more, for the step by step decoder.</summary>
    internal Tensor Next(Tensor tokens, long place, IReadOnlyList<KeyValueCache> past, IReadOnlyList<KeyValueCache> memory)
    {
        var x = Answers.Embed(tokens.unsqueeze(1), place);                         // [batch, 1, features]
        var i = 0;
        foreach (var block in decoder)
        {
            x = block.Next(x, past[i], memory[i]);
            i++;
        }
        return Score(Normalize(decoderNorm, x)).squeeze(1);                        // [batch, vocab]
    }

    /// <summary>Device of the token vectors.</summary>
    internal Device Device => source.Tokens.Weight.device;

    private Tensor Encode(Tensor ids, Tensor? mask)
    {
        var x = source.call(ids);
        foreach (var block in encoder)
        {
            x = block.call(x, mask);
        }
        return Normalize(encoderNorm, x);                                          // read by the projections of the decoder only
    }

    private static Tensor Normalize(Module<Tensor, Tensor>? norm, Tensor x) => norm is null ? x : Normalizations.Apply(norm, x, isForProduct: true);

    private Tensor Score(Tensor x) => head?.call(x) ?? Answers.Tokens.Score(x);
}
