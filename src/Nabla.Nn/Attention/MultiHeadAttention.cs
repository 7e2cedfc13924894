using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Self-attention with several heads, <c>output(concat(softmax(q k' / sqrt(headSize)) v))</c>, on the fused kernel of the device.
/// Source: Vaswani et al. (2017), arXiv:1706.03762, section 3.2. Queries, keys and values come from one projection, <c>qkv</c>, whose
/// rows are all queries, then all keys, then all values (as <c>in_proj_weight</c> of PyTorch's MultiheadAttention). Masks say what is
/// real, where PyTorch's say what to ignore; a step whose mask lets nothing through gives the output bias, never NaN.
/// </summary>
public sealed class MultiHeadAttention : Module<Tensor, Tensor?, Tensor>
{
    private readonly Linear qkv, output;
    private readonly RotaryEmbedding? rotary;
    private readonly AttentionOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Size and regularisation.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public MultiHeadAttention(AttentionOptions options)
        : base(nameof(MultiHeadAttention))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        qkv = Linear(options.Features, (options.Heads + (2L * options.KeyHeads)) * options.SizeOfHead, options.UseBias);
        output = Linear((long)options.Heads * options.SizeOfHead, options.Features, options.UseBias);
        rotary = options.UseRotaryPositions ? new RotaryEmbedding(new() { HeadSize = options.SizeOfHead, Base = options.RotaryBase }) : null;
        StartAsPyTorch();
        RegisterComponents();
    }

    /// <summary>Attends within each sequence of a batch.</summary>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    /// <param name="mask">Bool: <c>[batch, time]</c>, true where a step is real, or <c>[batch or 1, heads or 1, time, time]</c>, true where a query sees a key; null: all is real.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public override Tensor forward(Tensor x, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        return output.call(Attend(x, mask)).MoveToOuterDisposeScope(); // [batch, time, features]
    }

    /// <summary>What is attended to, and its projection before the bias, which a fused kernel adds: <c>x + dropout(branch + bias)</c>.</summary>
    internal (Tensor Branch, Tensor? Bias) Branch(Tensor x, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        return (functional.linear(AttendPacked(x, mask) ?? Attend(x, mask), output.weight!).MoveToOuterDisposeScope(), output.bias);
    }

    /// <summary>Attends from the next steps of each sequence to them and all before, as in generation: the first ones at once, then one at a time.</summary>
    /// <param name="x"><c>[batch, time, features]</c>, one step once the past holds any.</param>
    /// <param name="past">Remembers keys and values; the new ones are added.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Tensor Next(Tensor x, KeyValueCache past)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(past);
        if (x.Sizes() is not [_, var time, _] || (time != 1 && past.Time > 0))
        {
            throw new ShapeException("MultiHeadAttention.Next", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[batch, {(past.Time > 0 ? "1" : "time")}, features={_options.Features}]"), x.Sizes(), "Give the first steps at once, then one at a time.");
        }
        using var scope = NewDisposeScope();
        var (q, k, v) = Project(x, past.Time);
        past.Append(k, v);
        var (keys, values, _) = past.Read();
        return output.call(Merge(SafeOps.ScaledDotProductAttention(q, keys, values, isCausal: time > 1), x.Sizes())).MoveToOuterDisposeScope();
    }

    /// <summary>From the packed projection in one kernel, where there is one for these options.</summary>
    private Tensor? AttendPacked(Tensor x, Tensor? mask)
    {
        CheckInput(x);
        var dropout = training ? _options.Dropout : 0;
        return rotary is null && _options.KeyHeads == _options.Heads && FusedOps.SupportsAttention(x, x.Sizes()[1], _options.Heads, dropout)
            ? FusedOps.SelfAttention(functional.linear(x, qkv.weight!), qkv.bias, _options.Heads, KeyMask(mask, x.Sizes()), dropout, _options.IsCausal)
            : null;
    }

    private Tensor Attend(Tensor x, Tensor? mask)
    {
        var (q, k, v) = Project(x);
        return Merge(SafeOps.ScaledDotProductAttention(q, k, v, KeyMask(mask, x.Sizes()), training ? _options.Dropout : 0, _options.IsCausal), x.Sizes());
    }

    /// <summary><c>[batch, heads, time, headSize] -> [batch, time, heads * headSize]</c>.</summary>
    private Tensor Merge(Tensor attended, long[] shape) => attended.transpose(1, 2).reshape(shape[0], shape[1], (long)_options.Heads * _options.SizeOfHead);

    /// <summary>Attends without a mask.</summary>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    public Tensor call(Tensor x) => call(x, null);

    /// <summary>The attention weights, for explanations; each row sums to 1, or is 0 where a step sees nothing.</summary>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    /// <param name="mask">As in <see cref="forward"/>.</param>
    /// <returns><c>[batch, heads, time, time]</c>: query, then key.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Tensor Weights(Tensor x, Tensor? mask = null)
    {
        using var scope = NewDisposeScope();
        var (q, k, _) = Project(x);
        return SafeOps.AttentionWeights(q, k, KeyMask(mask, x.Sizes()), _options.IsCausal).MoveToOuterDisposeScope();
    }

    private (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, long start = 0)
    {
        var (batch, time) = CheckInput(x);
        var (heads, keyHeads) = (_options.Heads, _options.KeyHeads);
        // A split's gradient is one concatenation, where narrow's would fill and add three tensors of zeros.
        long size = _options.SizeOfHead;
        var parts = qkv.call(x).split([heads * size, keyHeads * size, keyHeads * size], -1); // each [batch, time, heads * headSize]
        var (q, k, v) = (Heads(parts[0], heads), Heads(parts[1], keyHeads), Heads(parts[2], keyHeads)); // [batch, heads, time, headSize]
        return rotary is null ? (q, k, v) : (rotary.Rotate(q, start), rotary.Rotate(k, start), v);

        Tensor Heads(Tensor part, long count) => part.view(batch, time, count, size).transpose(1, 2);
    }

    private (long Batch, long Time) CheckInput(Tensor x) => x.Sizes() is [var batch, var time, var features] && features == _options.Features
        ? (batch, time)
        : throw new ShapeException("MultiHeadAttention.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[batch, time, features={_options.Features}]"), x.Sizes(),
            string.Create(CultureInfo.InvariantCulture, $"Project the input to {_options.Features} features, or set AttentionOptions.Features to match it."));

    /// <summary>Projections uniform by Xavier over the stacked weight, biases 0, as PyTorch's MultiheadAttention starts.</summary>
    private void StartAsPyTorch()
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var bound = Math.Sqrt(6.0 / (qkv.weight.Sizes()[0] + qkv.weight.Sizes()[1]));
        qkv.weight.uniform_(-bound, bound);
        if (_options.UseBias)
        {
            qkv.bias!.zero_();
            output.bias!.zero_();
        }
    }

    private static Tensor? KeyMask(Tensor? mask, long[] shape)
    {
        if (mask is null || mask.Dimensions == 4)
        {
            return mask;
        }
        return mask.Dimensions == 2 && mask.Sizes()[0] == shape[0] && mask.Sizes()[1] == shape[1]
            ? mask.view(shape[0], 1, 1, shape[1]) // [batch, 1, 1, time]: the same keys for every head and query
            : throw new ShapeException("MultiHeadAttention.forward", nameof(mask), string.Create(CultureInfo.InvariantCulture, $"[batch={shape[0]}, time={shape[1]}] or [batch, heads, time, time]"), mask.Sizes());
    }
}
