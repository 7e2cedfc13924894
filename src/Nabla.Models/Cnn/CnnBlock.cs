namespace Nabla.Models;

/// <summary>Convolution, norm, activation, some times, then pooling: <c>[batch, in, height, width] -> [batch, out, height / 2, width / 2]</c>.</summary>
internal sealed class CnnBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<ConvolutionLayer> convolutions;
    private readonly ModuleList<BatchNorm2d> norms;
    private readonly Dropout2d? dropout;
    private readonly CnnOptions _options;

    public CnnBlock(int inputs, int outputs, string norm, CnnOptions options)
        : base(nameof(CnnBlock))
    {
        _options = options;
        (convolutions, norms) = (new(), new());
        for (var i = 0; i < options.ConvolutionsPerBlock; i++)
        {
            var stride = options.Pooling == "stride" && i == options.ConvolutionsPerBlock - 1 ? 2 : 1;
            // The norm subtracts the mean, so a bias before it would do nothing.
            var convolution = new ConvolutionLayer(new()
            {
                InputChannels = i == 0 ? inputs : outputs,
                OutputChannels = outputs,
                KernelSize = [options.KernelSize],
                Stride = [stride],
                Padding = [options.KernelSize / 2],
                UseBias = norm == "none",
            });
            init.kaiming_normal_(convolution.Weight, mode: init.FanInOut.FanIn, nonlinearity: init.NonlinearityType.ReLU);
            convolutions.Add(convolution);
            if (norm == "batch")
            {
                norms.Add(BatchNorm2d(outputs));
            }
        }
        dropout = options.ChannelDropout > 0 ? Dropout2d(options.ChannelDropout) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        for (var i = 0; i < convolutions.Count; i++)
        {
            x = convolutions[i].call(x);                                   // [batch, out, height, width]
            x = Activations.Apply(_options.Activation, norms.Count > 0 ? norms[i].call(x) : x);
        }
        x = _options.Pooling switch
        {
            "max" => functional.max_pool2d(x, 2),
            "average" => functional.avg_pool2d(x, 2),
            _ => x,
        };                                                                 // [batch, out, height / 2, width / 2]
        return dropout?.call(x) ?? x;
    });
}
