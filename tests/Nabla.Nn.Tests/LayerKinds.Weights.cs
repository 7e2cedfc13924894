using Outputs = System.Collections.Generic.Dictionary<string, TorchSharp.torch.Tensor>;

namespace Nabla.Nn.Tests;

internal static partial class LayerKinds
{
    private static Outputs Bag(LayerCase c)
    {
        var layer = c.Load(new EmbeddingBagTable(new()
        {
            Count = c.Options.Integer("num_embeddings", 1),
            Features = c.Options.Integer("embedding_dim", 1),
            Mode = c.Options.Text("mode", "mean"),
            PaddingId = c.Options.Get("padding_idx")?.GetInt64(),
        }));
        var offsets = c.TryInput("offsets");
        // torch's last offset is only the end of the last bag, which ends with the ids here.
        return One(layer.call(c.Input("ids"), offsets is not null && c.Options.Boolean("include_last_offset", false) ? offsets.narrow(0, 0, offsets.shape[0] - 1) : offsets));
    }

    private static Outputs LowRank(LayerCase c, bool hasMagnitude)
    {
        var shape = c.Golden.Tensor("input.weight").shape;
        var layer = c.LoadInputs(
            new LowRankLinear(new()
            {
                InputFeatures = (int)shape[1],
                OutputFeatures = (int)shape[0],
                Rank = (int)c.Options.Integer("rank", 1),
                Alpha = c.Options.Number("alpha", 1),
                IsRankStabilized = c.Options.Boolean("rank_stabilised", false),
                UseMagnitude = hasMagnitude,
            }),
            name => name switch { "down" => "a", "up" => "b", _ => name });
        Outputs outputs = One(layer.call(c.Input("x")));
        if (!hasMagnitude)
        {
            outputs["merged"] = layer.Merged();
        }
        return outputs;
    }

    private static Outputs BySpectrum(LayerCase c)
    {
        var (left, right) = (c.Input("u").clone(), c.Input("v").clone());
        var isTraining = c.Options.Boolean("train", true);
        var output = WeightNormalizations.BySpectrum(c.Input("w"), left, right, isTraining ? (int)c.Options.Integer("iterations", 1) : 0, c.Options.Number("eps", 1e-12));
        return new() { ["output"] = output, ["u"] = left, ["v"] = right };
    }

    private static Outputs Mixture(LayerCase c)
    {
        long[] shape = c.Golden.Tensor("input.w1").shape; // [experts, hidden, features]
        var layer = c.LoadInputs(
            new MixtureOfExperts(new()
            {
                Features = (int)shape[2],
                HiddenFeatures = (int)shape[1],
                Experts = (int)shape[0],
                TopK = (int)c.Options.Integer("top_k", 1),
                Renormalizes = c.Options.Boolean("renormalise", true),
                Score = c.Options.Text("score", "softmax"),
                Capacity = c.Options.Get("capacity")?.GetInt32(),
            }),
            name => name switch { "up" => "w1", "down" => "w2", _ => name });
        var result = layer.call(c.Input("x"));
        return new()
        {
            ["output"] = result.Output,
            ["weight"] = result.Weights,
            ["aux"] = result.BalanceLoss,
            ["z"] = result.LogitLoss,
            ["choice"] = result.Choices,
            ["load"] = result.Loads,
            ["kept"] = result.Kept.to(ScalarType.Int64),
        };
    }

    private static Outputs Scan(LayerCase c)
    {
        var (output, state) = SelectiveScan.Run(new()
        {
            Input = c.Input("u"),
            Delta = c.Input("delta"),
            LogDecay = c.Input("a_log"),
            Write = c.Input("b"),
            Read = c.Input("c"),
            Skip = c.Input("d"),
            DeltaBias = c.Input("delta_bias"),
            Gate = c.TryInput("z"),
            State = c.TryInput("h0"),
        });
        return new() { ["output"] = output, ["state"] = state };
    }
}
