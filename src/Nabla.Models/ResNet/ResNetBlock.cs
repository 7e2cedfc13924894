namespace Nabla.Models;

/// <summary>
/// Residual block <c>relu(f(x) + shortcut(x))</c>: basic (two 3x3) or bottleneck (1x1, 3x3, 1x1 with four times the channels; the stride
/// is in the 3x3, as in torchvision). Field names are torchvision's checkpoint keys.
/// </summary>
internal sealed class ResNetBlock : Module<Tensor, Tensor>
{
    /// <summary>Output channels of a bottleneck block as a multiple of its width. He et al. (2015), table 1.</summary>
    public const int BottleneckExpansion = 4;

    private readonly ConvolutionLayer conv1, conv2;
    private readonly BatchNorm2d bn1, bn2;
    private readonly ConvolutionLayer? conv3;
    private readonly BatchNorm2d? bn3;
    private readonly Sequential? downsample;

    public ResNetBlock(int inputs, int width, int stride, bool isBottleneck)
        : base(nameof(ResNetBlock))
    {
        var outputs = isBottleneck ? width * BottleneckExpansion : width;
        conv1 = isBottleneck ? Convolution(inputs, width, 1) : Convolution(inputs, width, 3, stride);
        bn1 = BatchNorm2d(width);
        conv2 = isBottleneck ? Convolution(width, width, 3, stride) : Convolution(width, width, 3);
        bn2 = BatchNorm2d(width);
        if (isBottleneck)
        {
            conv3 = Convolution(width, outputs, 1);
            bn3 = BatchNorm2d(outputs);
        }
        if (stride != 1 || inputs != outputs)
        {
            downsample = Sequential(Convolution(inputs, outputs, 1, stride), BatchNorm2d(outputs));
        }
        RegisterComponents();
    }

    /// <summary>The norm whose weight scales the whole residual branch.</summary>
    public BatchNorm2d LastNorm => bn3 ?? bn2;

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var y = bn1.call(conv1.call(x)).relu_();                  // [batch, width, height, width]
        y = bn2.call(conv2.call(y));
        if (conv3 is not null)
        {
            y = bn3!.call(conv3.call(y.relu_()));                 // [batch, 4 * width, height, width]
        }
        return y.add_(downsample?.call(x) ?? x).relu_();
    });

    /// <summary>A convolution that keeps the size (but for the stride), without bias, for relu (He et al., 2015, arXiv:1502.01852).</summary>
    internal static ConvolutionLayer Convolution(int inputs, int outputs, int kernel, int stride = 1)
    {
        var convolution = new ConvolutionLayer(new()
        {
            InputChannels = inputs,
            OutputChannels = outputs,
            KernelSize = [kernel],
            Stride = [stride],
            Padding = [kernel / 2],
            UseBias = false,
        });
        init.kaiming_normal_(convolution.Weight, mode: init.FanInOut.FanOut, nonlinearity: init.NonlinearityType.ReLU);
        return convolution;
    }
}
