namespace Nabla.Benchmarks;

/// <summary>
/// W7 in raw TorchSharp: the built-in transformer between two embeddings with learned positions and a linear head. Targets are -100 where
/// there is no token; those are left out of the loss.
/// </summary>
internal static class EncoderDecoderBaseline
{
    /// <summary>Source and decoder input are token ids, <c>[batch, time]</c>, with 0 as padding; the target has -100 there.</summary>
    public static ITrainingStep Create(Tensor source, Tensor input, Tensor target, int vocabulary, int features, int layers, int heads, int hidden, double dropout)
    {
        var model = new Model(vocabulary, (int)Math.Max(source.shape[1], input.shape[1]), features, layers, heads, hidden, dropout);
        model.train();
        return new BaselineStep(
            model,
            () => functional.cross_entropy(model.call(source, input).reshape(-1, vocabulary), target.reshape(-1), ignore_index: -100),
            source, input, target);
    }

    private sealed class Model : Module<Tensor, Tensor, Tensor>
    {
        private readonly Embedding sourceTokens, targetTokens, sourcePositions, targetPositions;
        private readonly Dropout dropout;
        private readonly Transformer transformer;
        private readonly Linear head;

        public Model(int vocabulary, int time, int features, int layers, int heads, int hidden, double dropoutRate)
            : base("encoder-decoder")
        {
            (sourceTokens, targetTokens) = (Embedding(vocabulary, features), Embedding(vocabulary, features));
            (sourcePositions, targetPositions) = (Embedding(time, features), Embedding(time, features));
            dropout = Dropout(dropoutRate);
            transformer = Transformer(features, heads, layers, layers, hidden, dropoutRate, Activations.GELU);
            head = Linear(features, vocabulary, hasBias: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor source, Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = dropout.call(sourceTokens.call(source) + sourcePositions.call(arange(Number.Of(source.shape[1]), device: source.device))).transpose(0, 1); // the built-in modules take time first
            var y = dropout.call(targetTokens.call(input) + targetPositions.call(arange(Number.Of(input.shape[1]), device: input.device))).transpose(0, 1);
            var time = input.shape[1];
            var future = full(time, time, Number.Of(float.NegativeInfinity), device: input.device).triu(1);
            var (sourcePadding, inputPadding) = (source.eq(Number.Of(0)), input.eq(Number.Of(0)));
            var decoded = transformer.call(x, y, null!, future, null, sourcePadding, inputPadding, sourcePadding);
            return head.call(decoded.transpose(0, 1)).MoveToOuterDisposeScope();
        }
    }
}
