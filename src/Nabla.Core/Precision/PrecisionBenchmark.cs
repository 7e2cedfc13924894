using System.Diagnostics;

namespace Nabla.Core;

/// <summary>
/// Small workloads like training, one for each kind of work: forward and backward in float32 and under bfloat16 autocast, taken in turns so that a
/// busy machine slows both. Half a second for all on two cores.
/// </summary>
internal static class PrecisionBenchmark
{
    private const int Rounds = 3;

    /// <summary>How many times as fast bfloat16 is as float32, by the best of several rounds each. Draws no random numbers.</summary>
    /// <param name="device">The device.</param>
    /// <param name="kind">The kind of work.</param>
    public static double SpeedUp(Device device, WorkKind kind)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        var (weight, forward) = kind switch
        {
            WorkKind.Convolutions => Convolutions(device),
            WorkKind.Recurrence => Recurrence(device),
            _ => Products(device),
        };
        double Time(ScalarType type)
        {
            var watch = Stopwatch.StartNew();
            using var step = NewDisposeScope();
            Tensor loss;
            using (Autocast.Enter(device.type, type))
            {
                loss = forward().sum();
            }
            loss.backward();
            _ = weight.grad!.sum().cpu().to(ScalarType.Float32).item<float>(); // waits for the device
            weight.grad = null;
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

    private static (Tensor Weight, Func<Tensor> Forward) Products(Device device)
    {
        var (rows, weight) = (Wave(device, 256, 768), Wave(device, 768, 768).requires_grad_());
        return (weight, () => nn.functional.linear(nn.functional.linear(rows, weight).relu(), weight));
    }

    private static (Tensor Weight, Func<Tensor> Forward) Convolutions(Device device)
    {
        var (pictures, kernel) = (Wave(device, 16, 32, 16, 16), Wave(device, 64, 32, 3, 3).requires_grad_());
        return (kernel, () => nn.functional.conv2d(pictures, kernel, padding: [1L, 1L]).relu());
    }

    private static (Tensor Weight, Func<Tensor> Forward) Recurrence(Device device)
    {
        const int Batch = 16, Time = 32, Hidden = 128;
        var (x, state) = (Wave(device, Batch, Time, Hidden), zeros([1, Batch, Hidden], device: device));
        Tensor[] weights = [Wave(device, 4 * Hidden, Hidden).requires_grad_(), Wave(device, 4 * Hidden, Hidden).requires_grad_(), zeros([4 * Hidden], device: device), zeros([4 * Hidden], device: device)];
        return (weights[0], () => RecurrentOps.Run("lstm", x, null, state, state, weights, true, 1, 0, true, false).Outputs);
    }

    private static Tensor Wave(Device device, params long[] shape)
        => arange(Number.Of(shape.Aggregate(1L, (product, size) => product * size)), ScalarType.Float32).sin().mul_(Number.Of(0.05)).reshape(shape).to(device);
}
