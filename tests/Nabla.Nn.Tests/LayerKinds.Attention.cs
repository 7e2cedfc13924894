using Outputs = System.Collections.Generic.Dictionary<string, TorchSharp.torch.Tensor>;

namespace Nabla.Nn.Tests;

internal static partial class LayerKinds
{
    /// <summary>A case of self-attention runs through both layers that can do it; the second one's results and gradients are compared with the first's.</summary>
    private static Outputs Attend(LayerCase c)
    {
        var options = c.Options;
        var isAveraged = c.Golden.Json.Get("call")?.Boolean("average", true) ?? true;
        var layer = c.Load(new CrossAttention(new()
        {
            Features = (int)options.Integer("embed_dim", 1),
            Heads = (int)options.Integer("num_heads", 1),
            KeyFeatures = options.Get("kdim")?.GetInt32(),
            ValueFeatures = options.Get("vdim")?.GetInt32(),
            UseBias = options.Boolean("bias", true),
            UseTrainedKey = options.Boolean("add_bias_kv", false),
            UseZeroKey = options.Boolean("add_zero_attn", false),
            EmptyRowsAreNaN = true, // as in the reference
        }));
        var query = c.Input("query");
        var (key, value) = (c.TryInput("key") ?? query, c.TryInput("value") ?? query);
        var mask = c.TryInput("key_padding_mask")?.logical_not(); // torch: true means ignore
        if (c.TryInput("attn_mask") is { } hidden)
        {
            Assert.Null(mask);
            mask = hidden.logical_not().view(1, 1, hidden.shape[0], hidden.shape[1]);
        }
        AttentionInput input = new(query, key, value, mask);
        var weights = layer.Weights(input); // [batch, heads, queryTime, keyTime]
        var output = layer.call(input);
        if (layer.state_dict().ContainsKey("in_proj_weight") && ReferenceEquals(key, query) && !options.Boolean("add_bias_kv", false))
        {
            CompareSelfAttention(c, query, mask, output);
        }
        return new() { ["output"] = output, ["weights"] = isAveraged ? weights.mean([1]) : weights };
    }

    private static void CompareSelfAttention(LayerCase c, Tensor query, Tensor? mask, Tensor expected)
    {
        using var layer = new MultiHeadAttention(new() { Features = (int)c.Options.Integer("embed_dim", 1), Heads = (int)c.Options.Integer("num_heads", 1), UseBias = c.Options.Boolean("bias", true) });
        layer.to(c.Type);
        layer.eval();
        using var ungraded = no_grad();
        foreach (var (name, parameter) in layer.named_parameters())
        {
            parameter.copy_(c.Golden.Tensor("input.param." + name switch { "qkv.weight" => "in_proj_weight", "qkv.bias" => "in_proj_bias", _ => name.Replace("output.", "out_proj.", StringComparison.Ordinal) }));
        }
        var sees = mask is null ? torch.ones(expected.shape[..^1], dtype: ScalarType.Bool) : mask.Dimensions == 2 ? mask.any(-1, true).expand(expected.shape[..^1]) : torch.ones(expected.shape[..^1], dtype: ScalarType.Bool);
        var bias = c.Golden.Has("input.param.out_proj.bias") ? c.Golden.Tensor("input.param.out_proj.bias").to(c.Type) : torch.zeros(expected.shape[^1], c.Type);
        // By design a row that sees no key is the output bias here, where the reference has NaN.
        var wanted = torch.where(sees.unsqueeze(-1), expected.detach(), bias);
        TensorAssert.Close(wanted, layer.call(query, mask), c.Type == ScalarType.Float64 ? 1e-10 : 1e-5, c.Type == ScalarType.Float64 ? 1e-10 : 1e-5, $"{c.Golden} by self-attention");
    }

    private static Outputs Buckets(LayerCase c)
    {
        RelativePositionOptions options = new()
        {
            Heads = 1,
            Buckets = (int)c.Options.Integer("buckets", 32),
            MaxDistance = (int)c.Options.Integer("max_distance", 128),
            IsBidirectional = c.Options.Boolean("bidirectional", true),
        };
        return new() { ["bucket"] = torch.tensor(c.Golden.Tensor("relative").data<long>().ToArray().Select(distance => RelativePositionBias.Bucket(distance, options)).ToArray()) };
    }
}
