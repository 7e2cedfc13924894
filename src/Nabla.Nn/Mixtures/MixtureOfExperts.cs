using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Sends each token to a few of many feed-forward experts, <c>sum over chosen e of weight_e down_e silu(up_e x)</c>. Each expert runs
/// once, on the tokens that chose it. Under autocast the experts compute in the small type, the router does not. Sources: Shazeer et al. (2017), arXiv:1701.06538; Fedus et al. (2022), arXiv:2101.03961.
/// </summary>
public sealed class MixtureOfExperts : Module<Tensor, MixtureOutput>
{
    private readonly Parameter router, up, down;
    private readonly MixtureOfExpertsOptions _options;

    /// <summary>Creates the layer with weights uniform in +- 1 / sqrt(inputs).</summary>
    /// <param name="options">Size and routing.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public MixtureOfExperts(MixtureOfExpertsOptions options)
        : base(nameof(MixtureOfExperts))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        router = Weight(options.Features, options.Experts, options.Features);
        up = Weight(options.Features, options.Experts, options.HiddenFeatures, options.Features);
        down = Weight(options.HiddenFeatures, options.Experts, options.Features, options.HiddenFeatures);
        RegisterComponents();
    }

    /// <summary>Routes and computes.</summary>
    /// <param name="x"><c>[..., features]</c>; all leading axes together are the tokens.</param>
    /// <returns>The output, the losses that keep the router balanced, and what was chosen; the caller owns it.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public override MixtureOutput forward(Tensor x)
    {
        if (x.Sizes() is not [.., var features] || features != _options.Features)
        {
            throw new ShapeException("MixtureOfExperts.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[..., features={_options.Features}]"), x.Sizes());
        }
        using var scope = NewDisposeScope();
        var tokens = x.reshape(x.numel() / features, features); // [tokens, features]
        var logits = Logits(tokens); // [tokens, experts]
        var scores = _options.Score == "softmax" ? logits.softmax(-1) : logits.sigmoid();
        var (weights, choices) = scores.topk(_options.TopK, -1); // [tokens, topK] each
        if (_options.Renormalizes)
        {
            weights = weights / weights.sum(-1, keepdim: true);
        }
        var places = functional.one_hot(choices, _options.Experts); // [tokens, topK, experts]
        var loads = places.sum([0, 1]); // [experts]
        var kept = Kept(places);
        var output = Compute(tokens, weights, choices, kept).reshape(x.Sizes());
        var shares = loads.to(logits.dtype) / Number.Of(Math.Max(1, tokens.Sizes()[0] * _options.TopK));
        var means = (_options.Score == "softmax" ? scores : scores / scores.sum(-1, keepdim: true)).mean([0]); // [experts]
        var balance = Number.Of(_options.Experts) * (shares * means).sum();
        return new MixtureOutput(output, balance, logits.logsumexp(-1).square().mean(), weights, choices, loads, kept).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Scores of all experts, in the type of the router's weights under autocast too: rounded scores would send tokens that are close to the
    /// border to other experts (Fedus et al., 2022, section 2.4, "selective precision").
    /// </summary>
    private Tensor Logits(Tensor tokens)
    {
        using var exact = Autocast.TypeOn(tokens.device_type) == ScalarType.Float32 ? default : Autocast.Enter(tokens.device_type, ScalarType.Float32);
        return functional.linear(tokens.to_type(router.dtype), router);
    }

    /// <summary>Which choices an expert takes: first choices of all tokens before second ones.</summary>
    private Tensor Kept(Tensor places)
    {
        long tokens = places.Sizes()[0], slots = places.Sizes()[1];
        if (_options.Capacity is not { } capacity)
        {
            return torch.ones(tokens, slots, dtype: ScalarType.Bool, device: places.device);
        }
        var inTurn = places.transpose(0, 1).reshape(slots * tokens, _options.Experts); // slot by slot
        var rank = (inTurn.cumsum(0) * inTurn).sum(-1); // [slots * tokens]: 1 for the first token of its expert
        return rank.le(Number.Of(capacity)).view(slots, tokens).t();
    }

    private Tensor Compute(Tensor tokens, Tensor weights, Tensor choices, Tensor kept)
    {
        var output = torch.zeros_like(tokens);
        for (var expert = 0; expert < _options.Experts; expert++)
        {
            var chosen = choices.eq(Number.Of(expert)).logical_and(kept).nonzero(); // [count, 2]: token, slot
            if (chosen.Sizes()[0] == 0)
            {
                continue;
            }
            var (rows, slots) = (chosen.select(1, 0), chosen.select(1, 1));
            var inside = functional.silu(functional.linear(tokens.index_select(0, rows), up.select(0, expert))); // [count, hidden]
            var given = functional.linear(inside, down.select(0, expert)); // [count, features]
            var weight = weights.view(-1).index_select(0, (rows * Number.Of(_options.TopK)) + slots).unsqueeze(1); // [count, 1]
            output = output.index_add(0, rows, (given * weight).to(output.dtype), Number.Of(1));
        }
        return output;
    }

    private static Parameter Weight(int inputs, params long[] shape)
    {
        var bound = 1 / Math.Sqrt(inputs);
        return torch.empty(shape).uniform_(-bound, bound).AsOwnedParameter();
    }
}
