namespace Nabla.Benchmarks;

/// <summary>Steps at the level of ATen, for the workloads where that tells where time goes.</summary>
internal static class AtenBaselines
{
    private const double StandardDeviation = 0.02; // as the models' own

    /// <summary>The direct step of a workload, or null.</summary>
    /// <param name="workload">Name of the workload.</param>
    public static Func<ITrainingStep>? Find(string workload) => workload switch
    {
        "W1" => () => Mlp(batch: 128, features: 64, hidden: 256, classes: 10),
        "W6" => () => Gpt(batch: 8, time: 256, vocabulary: 65, features: 384, layers: 6, heads: 6, dropout: 0.2),
        _ => null,
    };

    public static ITrainingStep Mlp(int batch, int features, int hidden, int classes)
    {
        var data = FixedBatch.Numbers([batch, features], classes);
        var (x, y) = (data.Inputs(), data.Targets());
        Tensor[] parameters =
        [
            Weight(hidden, features), zeros(hidden),
            Weight(hidden, hidden), zeros(hidden),
            Weight(classes, hidden), zeros(classes),
        ];
        return new AtenStep(parameters, p =>
        {
            var h = functional.linear(x, p[0], p[1]).relu_();
            h = functional.linear(h, p[2], p[3]).relu_();
            return functional.cross_entropy(functional.linear(h, p[4], p[5]), y);
        }, x, y);
    }

    public static ITrainingStep Gpt(int batch, int time, int vocabulary, int features, int layers, int heads, double dropout)
    {
        const int Each = 12; // parameters of a block
        var data = FixedBatch.Tokens(batch, time, vocabulary);
        var (x, y) = (data.Inputs(), data.Targets());
        List<Tensor> parameters = [Weight(vocabulary, features), Weight(time, features), ones(features), zeros(features)];
        for (var layer = 0; layer < layers; layer++)
        {
            parameters.AddRange(
            [
                ones(features), zeros(features), Weight(3 * features, features), zeros(3 * features), Weight(features, features), zeros(features),
                ones(features), zeros(features), Weight(4 * features, features), zeros(4 * features), Weight(features, 4 * features), zeros(features),
            ]);
        }
        Tensor Drop(Tensor t) => functional.dropout(t, dropout, true);
        return new AtenStep([.. parameters], p =>
        {
            long[] width = [features];
            var h = Drop(SafeOps.Embedding(p[0], x) + p[1]);                                        // [batch, time, features]
            for (var layer = 0; layer < layers; layer++)
            {
                var b = p.AsSpan(4 + (layer * Each), Each);
                var parts = functional.linear(functional.layer_norm(h, width, b[0], b[1]), b[2], b[3]).split(features, 2);
                var q = parts[0].view(batch, time, heads, -1).transpose(1, 2);                         // [batch, heads, time, headSize]
                var k = parts[1].view(batch, time, heads, -1).transpose(1, 2);
                var v = parts[2].view(batch, time, heads, -1).transpose(1, 2);
                var attended = functional.scaled_dot_product_attention(q, k, v, p: dropout, is_casual: true);
                h += Drop(functional.linear(attended.transpose(1, 2).reshape(batch, time, features), b[4], b[5]));
                var hidden = functional.gelu(functional.linear(functional.layer_norm(h, width, b[6], b[7]), b[8], b[9]));
                h += Drop(functional.linear(Drop(hidden), b[10], b[11]));
            }
            var logits = functional.linear(functional.layer_norm(h, width, p[2], p[3]), p[0]);         // [batch, time, vocab]
            return functional.cross_entropy(logits.view(-1, vocabulary), y.view(-1));
        }, x, y);
    }

    private static Tensor Weight(int outputs, int inputs) => randn(outputs, inputs).mul_(Number.Of(StandardDeviation));
}
