namespace Nabla.Benchmarks;

/// <summary>W2 in raw TorchSharp, after the MNIST example of its repository.</summary>
internal static class CnnBaseline
{
    public static ITrainingStep Create(Tensor x, Tensor y, int channels, int dense, int classes)
    {
        var model = new Model(channels, dense, (int)x.shape[2] / 4, classes);
        model.train();
        return new BaselineStep(model, () => functional.cross_entropy(model.call(x), y), x, y);
    }

    private sealed class Model : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv1, conv2;
        private readonly Linear fc1, fc2;
        private readonly MaxPool2d pool1 = MaxPool2d(kernel_size: [2, 2]), pool2 = MaxPool2d(kernel_size: [2, 2]);
        private readonly ReLU relu1 = ReLU(), relu2 = ReLU(), relu3 = ReLU();
        private readonly Flatten flatten = Flatten();

        public Model(int channels, int dense, int side, int classes)
            : base("cnn")
        {
            conv1 = Conv2d(1, channels, 3, padding: 1);
            conv2 = Conv2d(channels, 2 * channels, 3, padding: 1);
            fc1 = Linear(2 * channels * side * side, dense);
            fc2 = Linear(dense, classes);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = pool1.call(relu1.call(conv1.call(input)));
            x = pool2.call(relu2.call(conv2.call(x)));
            x = relu3.call(fc1.call(flatten.call(x)));
            return fc2.call(x).MoveToOuterDisposeScope();
        }
    }
}
