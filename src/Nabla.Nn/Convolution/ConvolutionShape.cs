namespace Nabla.Nn;

/// <summary>Sizes of convolutions and pools along one axis. Thread-safe.</summary>
public static class ConvolutionShape
{
    /// <summary>Output size, <c>floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1</c>; below 1 when the kernel does not fit.</summary>
    /// <param name="input">Input size.</param>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="stride">Step.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="dilation">Distance of kernel entries.</param>
    public static long Output(long input, long kernel, long stride = 1, long padding = 0, long dilation = 1)
    {
        var span = input + (2 * padding) - (dilation * (kernel - 1)) - 1;
        return span < 0 ? 0 : (span / stride) + 1;
    }

    /// <summary>Padding that keeps the size at stride 1 for an odd kernel, <c>dilation (kernel - 1) / 2</c>.</summary>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="dilation">Distance of kernel entries.</param>
    public static int SamePadding(int kernel, int dilation = 1) => dilation * (kernel - 1) / 2;
}
