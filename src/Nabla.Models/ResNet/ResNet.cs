namespace Nabla.Models;

/// <summary>
/// Residual network. Source: He et al. (2015), arXiv:1512.03385; layout, initialisation and checkpoint keys are torchvision's.
/// Difference: pictures of up to 64 pixels enter through a 3x3 convolution without pooling, as in the paper's CIFAR networks.
/// </summary>
public sealed class ResNet : Model
{
    private readonly ConvolutionLayer conv1;
    private readonly BatchNorm2d bn1;
    private readonly ModuleList<ResNetBlock> layer1, layer2, layer3, layer4;
    private readonly DropoutLayer? dropout;
    private readonly Linear fc;
    private readonly bool _isSmall, _recompute;

    /// <summary>The family <c>resnet</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<ResNetOptions>(
        "resnet",
        "Residual network",
        "He et al. (2015), arXiv:1512.03385",
        [ModelTasks.ImageClassification],
        (options, input) => new ResNet(options, input),
        WorkKind.Convolutions);

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Channels of the pictures and number of classes; height and width only choose the stem.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public ResNet(ResNetOptions options, ModelInput input)
        : base(nameof(ResNet), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _recompute = options.Recompute;
        _isSmall = options.Stem == "small" || (options.Stem == "auto" && Math.Max(input.Height, input.Width) <= 64);
        conv1 = ResNetBlock.Convolution(input.Channels, options.Width, _isSmall ? 3 : 7, _isSmall ? 1 : 2);
        bn1 = BatchNorm2d(options.Width);
        var channels = options.Width;
        (layer1, layer2, layer3, layer4) = (Stage(0), Stage(1), Stage(2), Stage(3));
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        fc = Linear(channels, input.Outputs);
        RegisterComponents();

        ModuleList<ResNetBlock> Stage(int stage)
        {
            ModuleList<ResNetBlock> blocks = new();
            var (isBottleneck, width) = (options.Depth >= 50, options.Width << stage);
            var count = stage < options.Stages ? ResNetOptions.Depths[options.Depth][stage] : 0;
            for (var i = 0; i < count; i++)
            {
                var block = new ResNetBlock(channels, width, i == 0 && stage > 0 ? 2 : 1, isBottleneck);
                channels = isBottleneck ? width * ResNetBlock.BottleneckExpansion : width;
                if (options.ZeroInitialResidual)
                {
                    init.zeros_(block.LastNorm.weight!);
                }
                blocks.Add(block);
            }
            return blocks;
        }
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Pictures("ResNet.forward", Input, input.Inputs, anySize: true);
        return WrappedTensorDisposeScope(() =>
        {
            var x = bn1.call(conv1.call(ChannelsLast.Prefer(input.Inputs))).relu_(); // [batch, width, height, width]
            if (!_isSmall)
            {
                x = functional.max_pool2d(x, 3, 2, 1);                   // [batch, width, height / 4, width / 4]
            }
            foreach (var block in layer1.Concat(layer2).Concat(layer3).Concat(layer4))
            {
                x = _recompute ? Recompute.Run(block, x) : block.call(x);                                       // each stage but the first: twice the channels, half the size
            }
            x = x.mean([2, 3]);                                          // [batch, channels]
            return fc.call(dropout?.call(x) ?? x);                       // [batch, classes]
        });
    }
}
