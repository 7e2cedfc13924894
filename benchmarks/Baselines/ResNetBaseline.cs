namespace Nabla.Benchmarks;

/// <summary>W3 in raw TorchSharp, after the ResNet of its examples (3x3 stem for small pictures).</summary>
internal static class ResNetBaseline
{
    public static ITrainingStep Create(Tensor x, Tensor y, int width, int classes)
    {
        var model = new Model(width, classes);
        model.train();
        return new BaselineStep(model, () => functional.cross_entropy(model.call(x), y), x, y);
    }

    private sealed class Model : Module<Tensor, Tensor>
    {
        private readonly Sequential layers;

        public Model(int width, int classes)
            : base("resnet18")
        {
            List<(string, Module<Tensor, Tensor>)> modules =
            [
                ("conv1", Conv2d(3, width, 3, stride: 1, padding: 1, bias: false)),
                ("bn1", BatchNorm2d(width)),
                ("relu1", ReLU(inplace: true)),
            ];
            var planes = width;
            for (var stage = 0; stage < 4; stage++)
            {
                for (var block = 0; block < 2; block++)
                {
                    var outputs = width << stage;
                    modules.Add(($"block{stage}-{block}", new BasicBlock(planes, outputs, stage > 0 && block == 0 ? 2 : 1)));
                    planes = outputs;
                }
            }
            modules.Add(("avgpool", AdaptiveAvgPool2d([1, 1])));
            modules.Add(("flatten", Flatten()));
            modules.Add(("linear", Linear(planes, classes)));
            layers = Sequential(modules);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => layers.call(input);
    }

    private sealed class BasicBlock : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv1, conv2;
        private readonly BatchNorm2d bn1, bn2;
        private readonly Sequential? shortcut;

        public BasicBlock(int inputs, int planes, int stride)
            : base("basic-block")
        {
            conv1 = Conv2d(inputs, planes, 3, stride: stride, padding: 1, bias: false);
            bn1 = BatchNorm2d(planes);
            conv2 = Conv2d(planes, planes, 3, stride: 1, padding: 1, bias: false);
            bn2 = BatchNorm2d(planes);
            if (stride != 1 || inputs != planes)
            {
                shortcut = Sequential(("conv", Conv2d(inputs, planes, 1, stride: stride, bias: false)), ("bn", BatchNorm2d(planes)));
            }
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var y = functional.relu(bn1.call(conv1.call(x)), inplace: true);
            y = bn2.call(conv2.call(y));
            y = y.add_(shortcut is null ? x : shortcut.call(x));
            return functional.relu(y, inplace: true).MoveToOuterDisposeScope();
        }
    }
}
