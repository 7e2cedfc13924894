using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Attention from one sequence to another, as between decoder and encoder. Source: Vaswani et al. (2017), arXiv:1706.03762, section
/// 3.2. Weights, keys and initial values are those of PyTorch's MultiheadAttention, whose checkpoints load as they are; masks say
/// what is real, where PyTorch's say what to ignore.
/// </summary>
public sealed class CrossAttention : Module<AttentionInput, Tensor>
{
    private readonly Parameter? in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias, bias_k, bias_v; // PyTorch's keys
    private readonly Linear out_proj;
    private readonly CrossAttentionOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Size and extras.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public CrossAttention(CrossAttentionOptions options)
        : base(nameof(CrossAttention))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var features = options.Features;
        if (options.IsPacked)
        {
            in_proj_weight = Xavier(3L * features, features);
        }
        else
        {
            (q_proj_weight, k_proj_weight, v_proj_weight) = (Xavier(features, features), Xavier(features, options.KeyFeatures ?? features), Xavier(features, options.ValueFeatures ?? features));
        }
        in_proj_bias = options.UseBias ? torch.zeros(3L * features).AsOwnedParameter() : null;
        if (options.UseTrainedKey)
        {
            var spread = Math.Sqrt(2.0 / (features + 1)); // xavier normal, as PyTorch counts a [1, 1, features] weight
            bias_k = torch.empty(1, 1, features).normal_(0, spread).AsOwnedParameter();
            bias_v = torch.empty(1, 1, features).normal_(0, spread).AsOwnedParameter();
        }
        out_proj = Linear(features, features, options.UseBias);
        if (options.UseBias)
        {
            using var ungraded = no_grad();
            using var scope = NewDisposeScope();
            out_proj.bias!.zero_();
        }
        RegisterComponents();
    }

    /// <summary>Attends.</summary>
    /// <param name="input">Queries, keys, values and what is real.</param>
    /// <returns><c>[batch, queryTime, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public override Tensor forward(AttentionInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        return out_proj.call(Attend(input)).MoveToOuterDisposeScope(); // [batch, queryTime, features]
    }

    /// <summary>Keys and values of a sequence that many queries will ask, as the encoder's output in generation. The caller owns the result.</summary>
    /// <param name="memory"><c>[batch, keyTime, features]</c>.</param>
    /// <param name="mask">Bool, true where a key is real, <c>[batch, keyTime]</c>; null: all is.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public KeyValueCache Remember(Tensor memory, Tensor? mask)
    {
        ArgumentNullException.ThrowIfNull(memory);
        using var scope = NewDisposeScope();
        var asked = torch.zeros([memory.Sizes()[0], 1, _options.Features], memory.dtype, memory.device); // a query is projected too, and thrown away
        var (_, k, v, visible) = Project(new AttentionInput(asked, memory, memory, mask));
        var cache = new KeyValueCache();
        cache.Append(k, v);
        cache.SetMask(visible);
        return cache;
    }

    /// <summary>Attends to what was remembered.</summary>
    /// <param name="query"><c>[batch, queryTime, features]</c>.</param>
    /// <param name="memory">From <see cref="Remember"/>.</param>
    /// <returns><c>[batch, queryTime, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Tensor Recall(Tensor query, KeyValueCache memory)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(memory);
        if (query.Sizes() is not [var batch, var time, var features] || features != _options.Features)
        {
            throw new ShapeException("CrossAttention.Recall", nameof(query), string.Create(CultureInfo.InvariantCulture, $"[batch, queryTime, features={_options.Features}]"), query.Sizes());
        }
        using var scope = NewDisposeScope();
        var weight = in_proj_weight?.narrow(0, 0, features) ?? q_proj_weight!;
        var q = functional.linear(query, weight, in_proj_bias?.narrow(0, 0, features)!).reshape(batch, time, _options.Heads, _options.SizeOfHead).transpose(1, 2); // [batch, heads, queryTime, headSize]
        var (k, v, mask) = memory.Read();
        return out_proj.call(Merge(SafeOps.ScaledDotProductAttention(q, k, v, mask))).MoveToOuterDisposeScope();
    }

    /// <summary>What is attended to, and its projection before the bias, which a fused kernel adds: <c>x + dropout(branch + bias)</c>.</summary>
    internal (Tensor Branch, Tensor? Bias) Branch(AttentionInput input)
    {
        using var scope = NewDisposeScope();
        return (functional.linear(AttendPacked(input) ?? Attend(input), out_proj.weight!).MoveToOuterDisposeScope(), out_proj.bias);
    }

    /// <summary>Attention from the packed projections on; null where there is no kernel for it.</summary>
    private Tensor? AttendPacked(AttentionInput input)
    {
        if (in_proj_weight is null || !ReferenceEquals(input.Key, input.Value) || bias_k is not null || _options.UseZeroKey || _options.EmptyRowsAreNaN
            || !(input.Query.requires_grad || in_proj_weight.requires_grad) || input.Mask?.requires_grad == true
            || !FusedOps.SupportsAttention(input.Query, Check(input).KeyTime, _options.Heads, training ? _options.Dropout : 0))
        {
            return null;
        }
        long features = _options.Features;
        var weights = in_proj_weight.split([features, 2 * features], 0); // one product for keys and values
        return FusedOps.CrossAttention(functional.linear(input.Query, weights[0]), functional.linear(input.Key, weights[1]), in_proj_bias, _options.Heads, Visible(input.Mask, 0), training ? _options.Dropout : 0);
    }

    private Tensor Attend(AttentionInput input)
    {
        var (q, k, v, mask) = Project(input);
        return Merge(_options.EmptyRowsAreNaN
            ? SafeOps.MatMul(FastDropout.Apply(WeightsOf(q, k, mask), _options.Dropout, training), v)
            : SafeOps.ScaledDotProductAttention(q, k, v, mask, training ? _options.Dropout : 0));
    }

    /// <summary><c>[batch, heads, queryTime, headSize] -> [batch, queryTime, features]</c>.</summary>
    private Tensor Merge(Tensor attended) => attended.transpose(1, 2).reshape(attended.Sizes()[0], attended.Sizes()[2], _options.Features);

    /// <summary>The attention weights, for explanations; an added trained key and a key of zeros come last.</summary>
    /// <param name="input">As in <see cref="forward"/>.</param>
    /// <returns><c>[batch, heads, queryTime, keyTime]</c>, keyTime with the added keys.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Tensor Weights(AttentionInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var (q, k, _, mask) = Project(input);
        return WeightsOf(q, k, mask).MoveToOuterDisposeScope();
    }

    private Tensor WeightsOf(Tensor q, Tensor k, Tensor? mask)
    {
        if (!_options.EmptyRowsAreNaN || mask is null)
        {
            return SafeOps.AttentionWeights(q, k, mask);
        }
        var scores = SafeOps.MatMul(q / Number.Of(Math.Sqrt(_options.SizeOfHead)), k.transpose(-2, -1));
        var added = torch.zeros(mask.Sizes(), scores.dtype, mask.device).masked_fill_(mask.logical_not(), Number.Of(double.NegativeInfinity));
        return (scores + added).softmax(-1); // NaN where all is masked, and so is the gradient, as in PyTorch
    }

    private (Tensor Query, Tensor Key, Tensor Value, Tensor? Mask) Project(AttentionInput input)
    {
        var (batch, queryTime, keyTime) = Check(input);
        long features = _options.Features, size = _options.SizeOfHead;
        var weights = in_proj_weight is not null ? in_proj_weight.split(features, 0) : [q_proj_weight!, k_proj_weight!, v_proj_weight!];
        var biases = in_proj_bias?.split(features, 0);
        var (q, k, v) = (functional.linear(input.Query, weights[0], biases?[0]!), functional.linear(input.Key, weights[1], biases?[1]!), functional.linear(input.Value, weights[2], biases?[2]!));
        var added = 0;
        if (bias_k is not null)
        {
            added++;
            (k, v) = (torch.cat([k, bias_k.to(k.dtype).expand(batch, 1, features)], 1), torch.cat([v, bias_v!.to(v.dtype).expand(batch, 1, features)], 1)); // [batch, keyTime + 1, features]
        }
        if (_options.UseZeroKey)
        {
            added++;
            var zeros = torch.zeros([batch, 1, features], k.dtype, k.device);
            (k, v) = (torch.cat([k, zeros], 1), torch.cat([v, zeros], 1));
        }
        return (Heads(q, queryTime), Heads(k, keyTime + added), Heads(v, keyTime + added), Visible(input.Mask, added));

        Tensor Heads(Tensor x, long time) => x.reshape(batch, time, _options.Heads, size).transpose(1, 2); // [batch, heads, time, headSize]
    }

    private static Tensor? Visible(Tensor? mask, int added)
    {
        if (mask is null)
        {
            return null;
        }
        var full = mask.Dimensions == 2 ? mask.view(mask.Sizes()[0], 1, 1, mask.Sizes()[1]) : mask; // [batch, 1, 1, keyTime]
        return added == 0 ? full : torch.cat([full, torch.ones([.. full.Sizes()[..^1], added], ScalarType.Bool, full.device)], -1);
    }

    private (long Batch, long QueryTime, long KeyTime) Check(AttentionInput input)
    {
        const string Where = "CrossAttention.forward";
        if (input.Query.Sizes() is not [var batch, var queryTime, var features] || features != _options.Features)
        {
            throw new ShapeException(Where, nameof(input.Query), string.Create(CultureInfo.InvariantCulture, $"[batch, queryTime, features={_options.Features}]"), input.Query.Sizes());
        }
        var (keyFeatures, valueFeatures) = (_options.KeyFeatures ?? _options.Features, _options.ValueFeatures ?? _options.Features);
        if (input.Key.Sizes() is not [var keyBatch, var keyTime, var width] || keyBatch != batch || width != keyFeatures)
        {
            throw new ShapeException(Where, nameof(input.Key), string.Create(CultureInfo.InvariantCulture, $"[batch={batch}, keyTime, keyFeatures={keyFeatures}]"), input.Key.Sizes());
        }
        if (!input.Value.Sizes().AsSpan().SequenceEqual([batch, keyTime, valueFeatures]))
        {
            throw new ShapeException(Where, nameof(input.Value), string.Create(CultureInfo.InvariantCulture, $"[batch={batch}, keyTime={keyTime}, valueFeatures={valueFeatures}]"), input.Value.Sizes());
        }
        if (input.Mask is { } mask && !(mask.Dimensions == 2 ? mask.Sizes().AsSpan().SequenceEqual([batch, keyTime]) : mask.Dimensions == 4 && mask.Sizes()[3] == keyTime))
        {
            throw new ShapeException(Where, nameof(input.Mask), string.Create(CultureInfo.InvariantCulture, $"[batch={batch}, keyTime={keyTime}] or [batch, heads, queryTime, keyTime={keyTime}]"), mask.Sizes());
        }
        return (batch, queryTime, keyTime);
    }

    private static Parameter Xavier(long rows, long columns)
    {
        var bound = Math.Sqrt(6.0 / (rows + columns));
        using var scope = NewDisposeScope();
        var values = torch.empty(rows, columns).uniform_(-bound, bound);
        var parameter = values.AsOwnedParameter();
        values.DetachFromDisposeScope();
        return parameter;
    }
}
