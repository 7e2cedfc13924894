namespace Nabla.Benchmarks;

/// <summary>W4 in raw TorchSharp: the built-in LSTM between an embedding and a linear head.</summary>
internal static class LstmBaseline
{
    public static ITrainingStep Create(Tensor x, Tensor y, int vocabulary, int embedding, int hidden, int layers)
    {
        var model = new Model(vocabulary, embedding, hidden, layers);
        model.train();
        return new BaselineStep(model, () => functional.cross_entropy(model.call(x).view(-1, vocabulary), y.view(-1)), x, y);
    }

    private sealed class Model : Module<Tensor, Tensor>
    {
        private readonly Embedding embedding;
        private readonly LSTM lstm;
        private readonly Linear head;

        public Model(int vocabulary, int features, int hidden, int layers)
            : base("lstm")
        {
            embedding = Embedding(vocabulary, features);
            lstm = LSTM(features, hidden, layers, batchFirst: true);
            head = Linear(hidden, vocabulary);
            RegisterComponents();
        }

        public override Tensor forward(Tensor ids)
        {
            using var scope = NewDisposeScope();
            var (output, _, _) = lstm.call(embedding.call(ids));
            return head.call(output).MoveToOuterDisposeScope();
        }
    }
}
