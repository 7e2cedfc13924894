namespace Nabla.Benchmarks;

/// <summary>W1 in raw TorchSharp.</summary>
internal static class MlpBaseline
{
    public static ITrainingStep Create(Tensor x, Tensor y, int features, int hidden, int classes)
    {
        var model = Sequential(
            ("fc1", Linear(features, hidden)),
            ("relu1", ReLU()),
            ("fc2", Linear(hidden, hidden)),
            ("relu2", ReLU()),
            ("fc3", Linear(hidden, classes)));
        model.train();
        return new BaselineStep(model, () => functional.cross_entropy(model.call(x), y), x, y);
    }
}
