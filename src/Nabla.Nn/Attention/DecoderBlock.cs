namespace Nabla.Nn;

/// <summary>What a <see cref="DecoderBlock"/> takes; the caller owns the tensors.</summary>
/// <param name="X">The sequence that is made, <c>[batch, time, features]</c>.</param>
/// <param name="Memory">The encoder's output, <c>[batch, memoryTime, features]</c>.</param>
/// <param name="Mask">Bool, true where <paramref name="X"/> is real, <c>[batch, time]</c>; null: all is.</param>
/// <param name="MemoryMask">Bool, true where the memory is real, <c>[batch, memoryTime]</c>; null: all is.</param>
public sealed record DecoderInput(Tensor X, Tensor Memory, Tensor? Mask = null, Tensor? MemoryMask = null);

/// <summary>
/// Causal self-attention, attention to an encoder's output, and feed-forward, each in a residual branch (pre-norm or post-norm as in
/// <see cref="TransformerBlock"/>). Source: Vaswani et al. (2017), arXiv:1706.03762, section 3.1.
/// </summary>
public sealed class DecoderBlock : Module<DecoderInput, Tensor>
{
    private readonly Module<Tensor, Tensor> attentionNorm, crossNorm, feedForwardNorm;
    private readonly MultiHeadAttention attention;
    private readonly CrossAttention cross;
    private readonly FeedForwardBlock feedForward;
    private readonly TransformerBlockOptions _options;

    /// <summary>Creates the block.</summary>
    /// <param name="options">Size and parts; self-attention is causal whatever they say.</param>
    /// <exception cref="OptionsException">A value cannot work: stochastic depth, grouped heads and rotary positions are not offered here.</exception>
    public DecoderBlock(TransformerBlockOptions options)
        : base(nameof(DecoderBlock))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        OptionsCheck.For(options)
            .Require(options.StochasticDepth == 0, $"StochasticDepth is not offered in a DecoderBlock; it is {options.StochasticDepth}.")
            .Require(options.KeyValueHeads is null || options.KeyValueHeads == options.Heads, $"KeyValueHeads are not offered in a DecoderBlock; they are {options.KeyValueHeads}.")
            .Require(!options.UseRotaryPositions, "UseRotaryPositions is not offered in a DecoderBlock.")
            .ThrowIfAny();
        _options = options with { IsCausal = true };
        attentionNorm = Normalizations.ForFeatures(options.Normalization, options.Features)!;
        attention = new MultiHeadAttention(_options.Attention);
        crossNorm = Normalizations.ForFeatures(options.Normalization, options.Features)!;
        cross = new CrossAttention(new() { Features = options.Features, Heads = options.Heads, Dropout = options.AttentionDropout, UseBias = options.UseBias });
        feedForwardNorm = Normalizations.ForFeatures(options.Normalization, options.Features)!;
        feedForward = new FeedForwardBlock(options.FeedForward);
        RegisterComponents();
    }

    /// <summary>The attention to the encoder, for its weights.</summary>
    public CrossAttention Cross => cross;

    /// <summary>Applies the block to whole sequences, as in training.</summary>
    /// <param name="input">The sequences.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public override Tensor forward(DecoderInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        if (training && FusedOps.Support(input.X))
        {
            return Fused(input).MoveToOuterDisposeScope();
        }
        var x = Residual(input.X, attentionNorm, y => attention.call(y, input.Mask));
        x = Residual(x, crossNorm, y => cross.call(new AttentionInput(y, input.Memory, input.Memory, input.MemoryMask)));
        return Residual(x, feedForwardNorm, feedForward.call).MoveToOuterDisposeScope(); // [batch, time, features]
    }

    /// <summary>Applies the block to the next tokens of sequences whose past is remembered, as in generation.</summary>
    /// <param name="x">The new tokens, <c>[batch, 1, features]</c>.</param>
    /// <param name="past">Remembers the tokens so far; the new ones are added.</param>
    /// <param name="memory">The encoder's output, from <see cref="CrossAttention.Remember"/> of <see cref="Cross"/>.</param>
    /// <returns><c>[batch, 1, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Tensor Next(Tensor x, KeyValueCache past, KeyValueCache memory)
    {
        using var scope = NewDisposeScope();
        var y = Residual(x, attentionNorm, part => attention.Next(part, past));
        y = Residual(y, crossNorm, part => cross.Recall(part, memory));
        return Residual(y, feedForwardNorm, feedForward.call).MoveToOuterDisposeScope();
    }

    private Tensor Residual(Tensor x, Module<Tensor, Tensor> norm, Func<Tensor, Tensor> part)
        => _options.NormalizeFirst ? x + Drop(part(norm.call(x))) : norm.call(x + Drop(part(x)));

    private Tensor Drop(Tensor branch) => training && _options.Dropout > 0 ? FastDropout.Apply(branch, _options.Dropout) : branch;

    private Tensor Fused(DecoderInput input)
    {
        var x = FusedResidual(input.X, attentionNorm, y => attention.Branch(y, input.Mask));
        x = FusedResidual(x, crossNorm, y => cross.Branch(new AttentionInput(y, input.Memory, input.Memory, input.MemoryMask)));
        return FusedResidual(x, feedForwardNorm, feedForward.Branch);
    }

    private Tensor FusedResidual(Tensor x, Module<Tensor, Tensor> norm, Func<Tensor, (Tensor Branch, Tensor? Bias)> part)
    {
        var (branch, bias) = part(_options.NormalizeFirst ? Normalizations.Apply(norm, x, isForProduct: true) : x);
        var sum = FusedOps.AddBranch(x, branch, bias, _options.Dropout);
        return _options.NormalizeFirst ? sum : Normalizations.Apply(norm, sum, isForProduct: false);
    }
}
