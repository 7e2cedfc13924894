namespace Nabla.Nn;

/// <summary>
/// Attention and feed-forward, each in a residual branch. Pre-norm: <c>x + part(norm(x))</c>; post-norm: <c>norm(x + part(x))</c>.
/// Sources: Vaswani et al. (2017), arXiv:1706.03762; pre-norm: Xiong et al. (2020), arXiv:2002.04745.
/// </summary>
public sealed class TransformerBlock : Module<Tensor, Tensor?, Tensor>
{
    private readonly Module<Tensor, Tensor> attentionNorm, feedForwardNorm;
    private readonly MultiHeadAttention attention;
    private readonly FeedForwardBlock feedForward;
    private readonly StochasticDepth? depth;
    private readonly TransformerBlockOptions _options;

    /// <summary>Creates the block.</summary>
    /// <param name="options">Size and parts.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public TransformerBlock(TransformerBlockOptions options)
        : base(nameof(TransformerBlock))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        attentionNorm = Normalizations.ForFeatures(options.Normalization, options.Features)!;
        attention = new MultiHeadAttention(options.Attention);
        feedForwardNorm = Normalizations.ForFeatures(options.Normalization, options.Features)!;
        feedForward = new FeedForwardBlock(options.FeedForward);
        depth = options.StochasticDepth > 0 ? new StochasticDepth(options.StochasticDepth) : null;
        RegisterComponents();
    }

    /// <summary>The attention part, for its weights.</summary>
    public MultiHeadAttention Attention => attention;

    /// <summary>Applies the block.</summary>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    /// <param name="mask">As in <see cref="MultiHeadAttention.forward"/>.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public override Tensor forward(Tensor x, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        if (training && depth is null && FusedOps.Support(x))
        {
            return Fused(x, mask).MoveToOuterDisposeScope();
        }
        if (_options.NormalizeFirst)
        {
            var middle = x + Regularize(attention.call(attentionNorm.call(x), mask)); // [batch, time, features]
            return (middle + Regularize(feedForward.call(feedForwardNorm.call(middle)))).MoveToOuterDisposeScope();
        }
        var attended = attentionNorm.call(x + Regularize(attention.call(x, mask))); // [batch, time, features]
        return feedForwardNorm.call(attended + Regularize(feedForward.call(attended))).MoveToOuterDisposeScope();
    }

    /// <summary>Applies the block without a mask.</summary>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    public Tensor call(Tensor x) => call(x, null);

    /// <summary>The steps of a causal sequence as they come, as in generation: the first ones at once, then one at a time. In eval mode.</summary>
    /// <param name="x"><c>[batch, time, features]</c>, one step once the past holds any.</param>
    /// <param name="past">Keys and values of the steps before; takes those of these.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The layout differs.</exception>
    public Tensor Next(Tensor x, KeyValueCache past)
    {
        using var scope = NewDisposeScope();
        if (_options.NormalizeFirst)
        {
            var middle = x + attention.Next(attentionNorm.call(x), past);
            return (middle + feedForward.call(feedForwardNorm.call(middle))).MoveToOuterDisposeScope();
        }
        var attended = attentionNorm.call(x + attention.Next(x, past));
        return feedForwardNorm.call(attended + feedForward.call(attended)).MoveToOuterDisposeScope();
    }

    /// <summary>The same on fused kernels: less memory traffic, which on a CPU costs more than the matrix products.</summary>
    private Tensor Fused(Tensor x, Tensor? mask)
    {
        var isFirst = _options.NormalizeFirst;
        var (attended, attentionBias) = attention.Branch(isFirst ? Normalizations.Apply(attentionNorm, x, isForProduct: true) : x, mask);
        var middle = FusedOps.AddBranch(x, attended, attentionBias, _options.Dropout); // [batch, time, features]
        middle = isFirst ? middle : Normalizations.Apply(attentionNorm, middle, isForProduct: false);
        var (fed, feedForwardBias) = feedForward.Branch(isFirst ? Normalizations.Apply(feedForwardNorm, middle, isForProduct: true) : middle);
        var sum = FusedOps.AddBranch(middle, fed, feedForwardBias, _options.Dropout);
        return isFirst ? sum : Normalizations.Apply(feedForwardNorm, sum, isForProduct: false);
    }

    private Tensor Regularize(Tensor branch)
    {
        if (!training)
        {
            return branch;
        }
        var dropped = _options.Dropout > 0 ? FastDropout.Apply(branch, _options.Dropout) : branch;
        return depth is null ? dropped : depth.call(dropped);
    }
}
