using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Sums losses, each times its weight, in double precision. On the CPU a loss is read at once; on other devices it is kept there, and read
/// with others when somebody asks or enough have gathered, as each reading waits for the device. Not thread-safe.
/// </summary>
internal sealed class LossMeter : IDisposable
{
    private const int MostPending = 50; // an undefined loss is found within this many batches
    private readonly List<(Tensor Loss, long Weight, long Step)> _pending = [];

    /// <summary>Sum since the last <see cref="ResetWindow"/>.</summary>
    public (double Sum, long Weight) Window { get; set; }

    /// <summary>Sum since the last <see cref="ResetEpoch"/>.</summary>
    public (double Sum, long Weight) Epoch { get; set; }

    /// <summary>Whether enough have gathered to be read.</summary>
    public bool IsFull => _pending.Count >= MostPending;

    /// <summary>Takes in the loss of a batch; it is not kept alive by the caller.</summary>
    /// <returns>The loss where reading it is free, else null.</returns>
    public double? Add(Tensor loss, long weight, long step)
    {
        if (Read(loss) is { } value)
        {
            Count(value, weight);
            return value;
        }
        using var scope = NewDisposeScope();
        _pending.Add((loss.detach().clone().DetachFromDisposeScope(), weight, step));
        return null;
    }

    /// <summary>The value of a loss where reading it is free, on the CPU; else null.</summary>
    public static double? Read(Tensor loss)
    {
        if (DenseMemory.TryFind(loss, ScalarType.Float32, out var address, out var count) && count == 1)
        {
            return BitConverter.Int32BitsToSingle(Marshal.ReadInt32(address));
        }
        if (loss.device_type != DeviceType.CPU)
        {
            return null;
        }
        using var scope = NewDisposeScope();
        return loss.detach().to(ScalarType.Float64).item<double>();
    }

    /// <summary>Reads what is pending.</summary>
    /// <returns>The first step whose loss is not finite, or null.</returns>
    public long? Flush()
    {
        if (_pending.Count == 0)
        {
            return null;
        }
        using var scope = NewDisposeScope();
        var values = stack(_pending.Select(entry => entry.Loss.to(ScalarType.Float32))).to(ScalarType.Float64).cpu().data<double>().ToArray();
        long? bad = null;
        for (var i = 0; i < values.Length; i++)
        {
            Count(values[i], _pending[i].Weight);
            bad ??= double.IsFinite(values[i]) ? null : _pending[i].Step;
        }
        Dispose();
        return bad;
    }

    /// <summary>Starts a new window.</summary>
    public void ResetWindow() => Window = default;

    /// <summary>Starts a new epoch.</summary>
    public void ResetEpoch() => Epoch = default;

    /// <summary>Mean of a sum; NaN when nothing was counted.</summary>
    public static double Mean((double Sum, long Weight) total) => total.Weight == 0 ? double.NaN : total.Sum / total.Weight;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (loss, _, _) in _pending)
        {
            loss.Dispose();
        }
        _pending.Clear();
    }

    private void Count(double value, long weight)
    {
        Window = (Window.Sum + (value * weight), Window.Weight + weight);
        Epoch = (Epoch.Sum + (value * weight), Epoch.Weight + weight);
    }
}
