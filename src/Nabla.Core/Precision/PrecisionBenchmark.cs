using System.Diagnostics;

namespace Nabla.Core;

/// <summary>
/// Small workloads like training, one for each kind of work: forward and backward in float32 and under bfloat16 autocast, taken in turns so that a
/// busy machine slows both, until the fastest of each stays what it is: what training sees is kernels that are built and code in its last tier.
/// Those for a GPU fill it, else only the time of starting kernels would be compared.
/// </summary>
internal static class PrecisionBenchmark
{
    /// <summary>Raised with every change that moves the numbers, so that those measured before count no more.</summary>
    public const int Version = 4;

    private const int FewestRounds = 3, CalmRounds = 10;
    private const double Gain = 0.98; // smaller steps down are noise
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.25), Longest = TimeSpan.FromSeconds(1); // code reaches its last tier after 0.1 s or more

    /// <summary>How many times as fast bfloat16 is as float32, by the fastest round of each. Draws no random numbers. A quarter of a second to a second.</summary>
    /// <param name="device">The device.</param>
    /// <param name="kind">The kind of work.</param>
    public static double SpeedUp(Device device, WorkKind kind)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        var (weight, forward) = kind switch
        {
            WorkKind.Convolutions => Convolutions(device),
            WorkKind.Recurrence => Recurrence(device, "lstm", gates: 4),
            WorkKind.OtherRecurrence => Recurrence(device, "gru", gates: 3),
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
        var (full, half, calm) = (double.MaxValue, double.MaxValue, 0);
        var all = Stopwatch.StartNew();
        for (var round = 0; round < FewestRounds || (all.Elapsed < Longest && (all.Elapsed < Shortest || calm < CalmRounds)); round++)
        {
            var (a, b) = (Time(ScalarType.Float32), Time(ScalarType.BFloat16));
            if (round == 0)
            {
                continue; // builds kernels
            }
            calm = a < Gain * full || b < Gain * half ? 0 : calm + 1;
            (full, half) = (Math.Min(full, a), Math.Min(half, b));
        }
        return full / half;
    }

    private static (Tensor Weight, Func<Tensor> Forward) Products(Device device)
    {
        var (count, side) = device.type == DeviceType.CPU ? (256, 768) : (4096, 2048);
        var (rows, weight) = (Wave(device, count, side), Wave(device, side, side).requires_grad_());
        return (weight, () => nn.functional.linear(nn.functional.linear(rows, weight).relu(), weight));
    }

    private static (Tensor Weight, Func<Tensor> Forward) Convolutions(Device device)
    {
        var (count, channels, side) = device.type == DeviceType.CPU ? (32, 32, 28) : (128, 64, 56);
        var (pictures, kernel) = (Wave(device, count, channels, side, side), Wave(device, 64, channels, 3, 3).requires_grad_());
        return (kernel, () => nn.functional.conv2d(ChannelsLast.Prefer(pictures), kernel, padding: [1L, 1L]).relu());
    }

    private static (Tensor Weight, Func<Tensor> Forward) Recurrence(Device device, string cell, long gates)
    {
        const int Time = 32;
        var (batch, width) = device.type == DeviceType.CPU ? (32, 256) : (256, 1024); // below 64 wide the gain is small, and so is the work
        var (x, state) = (Wave(device, batch, Time, width), zeros([1, batch, width], device: device));
        var (rows, memory) = (gates * width, cell == "lstm" ? state : null);
        Tensor[] weights = [Wave(device, rows, width).requires_grad_(), Wave(device, rows, width).requires_grad_(), zeros([rows], device: device), zeros([rows], device: device)];
        return (weights[0], () => RecurrentOps.Run(cell, x, null, state, memory, weights, true, 1, 0, true, false).Outputs);
    }

    private static Tensor Wave(Device device, params long[] shape)
        => arange(Number.Of(shape.Aggregate(1L, (product, size) => product * size)), ScalarType.Float32).sin().mul_(Number.Of(0.05)).reshape(shape).to(device);
}
