namespace Nabla.Models;

/// <summary>
/// Plain convolutional network for small pictures: blocks of convolution, norm, activation and pooling, then dense layers.
/// Source: the line from LeCun et al. (1998) to Simonyan and Zisserman (2014), arXiv:1409.1556, with batch norm.
/// </summary>
public sealed class Cnn : Model
{
    private readonly ModuleList<CnnBlock> blocks;
    private readonly ModuleList<Linear> hidden;
    private readonly DropoutLayer? dropout;
    private readonly Linear head;
    private readonly CnnOptions _options;

    /// <summary>The family <c>cnn</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<CnnOptions>(
        "cnn",
        "Plain convolutional network",
        "Simonyan and Zisserman (2014), arXiv:1409.1556",
        [ModelTasks.ImageClassification],
        (options, input) => new Cnn(options, input),
        WorkKind.Convolutions);

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Sizes of the pictures and number of classes.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public Cnn(CnnOptions options, ModelInput input)
        : base(nameof(Cnn), input)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var (height, width) = (options.Side(input.Height), options.Side(input.Width));
        OptionsCheck.For(options)
            .Require(height >= 1 && width >= 1, $"channels has {options.Channels.Count} blocks that each halve the picture, and {input.Height}x{input.Width} pixels are used up before the last. Take fewer blocks, or pooling: none.")
            .ThrowIfAny();
        blocks = new();
        var channels = input.Channels;
        for (var i = 0; i < options.Channels.Count; i++)
        {
            blocks.Add(new CnnBlock(channels, options.Channels[i], options.Norms?[i] ?? options.Norm, options));
            channels = options.Channels[i];
        }
        var features = options.HeadPooling == "flatten" ? channels * height * width : channels;
        hidden = new();
        foreach (var next in options.Hidden)
        {
            hidden.Add(Linear(features, next));
            features = next;
        }
        dropout = options.Dropout > 0 ? new DropoutLayer(options.Dropout) : null;
        head = Linear(features, input.Outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input)
    {
        Guards.Pictures("Cnn.forward", Input, input.Inputs, anySize: _options.HeadPooling != "flatten");
        return WrappedTensorDisposeScope(() =>
        {
            var x = ChannelsLast.Prefer(input.Inputs);              // [batch, channels, height, width]
            foreach (var block in blocks)
            {
                x = block.call(x);
            }
            x = _options.HeadPooling switch
            {
                "average" => x.mean([2, 3]),
                "max" => x.amax([2, 3]),
                _ => x.flatten(1),
            };                                                     // [batch, features]
            foreach (var layer in hidden)
            {
                x = Activations.Apply(_options.Activation, layer.call(dropout?.call(x) ?? x));
            }
            return head.call(dropout?.call(x) ?? x);               // [batch, classes]
        });
    }
}
