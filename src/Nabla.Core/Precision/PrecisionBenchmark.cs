using System.Diagnostics;

namespace Nabla.Core;

/// <summary>
/// A small workload like training: forward and backward of a linear layer and of a convolution, in float32 and under bfloat16 autocast, taken
/// in turns so that a busy machine slows both. A quarter of a second on two cores.
/// </summary>
internal static class PrecisionBenchmark
{
    private const int Rounds = 3;

    /// <summary>How many times as fast bfloat16 is as float32, by the best of several rounds each. Draws no random numbers.</summary>
    /// <param name="device">The device.</param>
    public static double SpeedUp(Device device)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        var rows = Wave(device, 256, 768);
        var weight = Wave(device, 768, 768).requires_grad_();
        var pictures = Wave(device, 16, 32, 16, 16);
        var kernel = Wave(device, 64, 32, 3, 3).requires_grad_();
        double Time(ScalarType type)
        {
            var watch = Stopwatch.StartNew();
            using var step = NewDisposeScope();
            Tensor loss;
            using (Autocast.Enter(device.type, type))
            {
                loss = nn.functional.linear(rows, weight).relu().sum() + nn.functional.conv2d(pictures, kernel, padding: [1L, 1L]).relu().sum();
            }
            loss.backward();
            _ = weight.grad!.sum().cpu().item<float>() + kernel.grad!.sum().cpu().item<float>(); // waits for the device
            (weight.grad, kernel.grad) = (null, null);
            return watch.Elapsed.TotalSeconds;
        }
        var (full, half) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round <= Rounds; round++)
        {
            var (a, b) = (Time(ScalarType.Float32), Time(ScalarType.BFloat16));
            if (round > 0) // the first builds kernels
            {
                (full, half) = (Math.Min(full, a), Math.Min(half, b));
            }
        }
        return full / half;
    }

    private static Tensor Wave(Device device, params long[] shape)
        => arange(shape.Aggregate(1L, (product, size) => product * size), ScalarType.Float32).sin().reshape(shape).to(device);
}
