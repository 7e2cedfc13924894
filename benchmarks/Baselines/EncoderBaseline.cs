namespace Nabla.Benchmarks;

/// <summary>
/// W5 and W8 in raw TorchSharp: the built-in transformer encoder, after the TransformerModel of its examples, with learned positions and
/// a mean over time for the head. The built-in layer is post-norm; the norm after the last one makes the parameters those of a pre-norm model.
/// </summary>
internal static class EncoderBaseline
{
    public static ITrainingStep Create(Tensor x, Tensor y, int vocabulary, int features, int layers, int heads, int hidden, int classes, double dropout)
    {
        var model = new Model(vocabulary, (int)x.shape[1], features, layers, heads, hidden, classes, dropout);
        model.train();
        return new BaselineStep(model, () => functional.cross_entropy(model.call(x), y), x, y);
    }

    private sealed class Model : Module<Tensor, Tensor>
    {
        private readonly Embedding tokens, positions;
        private readonly Dropout dropout, headDropout;
        private readonly TransformerEncoder encoder;
        private readonly LayerNorm norm;
        private readonly Linear head;

        public Model(int vocabulary, int time, int features, int layers, int heads, int hidden, int classes, double dropoutRate)
            : base("encoder")
        {
            tokens = Embedding(vocabulary, features);
            positions = Embedding(time, features);
            dropout = Dropout(dropoutRate);
            headDropout = Dropout(dropoutRate);
            var layer = TransformerEncoderLayer(features, heads, hidden, dropoutRate, Activations.GELU);
            encoder = TransformerEncoder(layer, layers);
            norm = LayerNorm(features);
            head = Linear(features, classes);
            RegisterComponents();
        }

        public override Tensor forward(Tensor ids)
        {
            using var scope = NewDisposeScope();
            var x = dropout.call(tokens.call(ids) + positions.call(arange(Number.Of(ids.shape[1]), device: ids.device)));
            x = encoder.call(x.transpose(0, 1), null, null); // the built-in modules take time first
            var pooled = norm.call(x).mean([0]);
            return head.call(headDropout.call(pooled)).MoveToOuterDisposeScope();
        }
    }
}
