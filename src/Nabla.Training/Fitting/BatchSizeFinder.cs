using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>The memory of this process on the CPU; on other devices an error tells.</summary>
internal sealed class DeviceMemoryMeter(Device device) : IMemoryMeter
{
    public long? Available => device.type == DeviceType.CPU ? ProcessMemory.Available : null;

    public long PeakGrowth(Action action) => ProcessMemory.PeakGrowth(action);
}

/// <summary>
/// Finds the largest batch that fits into memory: forward and backward passes of 1, 2, 4, ... examples, then between the last that fits and
/// the first that does not. On the CPU growth is measured and the next size is tried only when the line through what was measured says that
/// it fits, since the system ends a process that takes too much; on a GPU the out-of-memory error is caught. The model stays as it was.
/// </summary>
public sealed class BatchSizeFinder
{
    private const double UsableShare = 0.8; // for what the measurement cannot see: the loader's batches, fragments, other processes
    private const int Refinements = 3; // halvings of the last gap: within an eighth of the best
    private const int OptimizerCopies = 3; // gradients and two moments of each parameter
    private static readonly TimeSpan LongestTrial = TimeSpan.FromSeconds(10);
    private readonly TrainingOptions _options;
    private readonly ILogger _logger;
    private readonly IMemoryMeter? _meter;
    private readonly List<(long Size, long Bytes)> _measured = [];

    /// <summary>Creates the finder.</summary>
    /// <param name="options">How the model will be trained.</param>
    /// <param name="logger">Hears what was found; null: nobody.</param>
    /// <param name="meter">Tells the memory; null: that of the device.</param>
    public BatchSizeFinder(TrainingOptions options, ILogger? logger = null, IMemoryMeter? meter = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _logger, _meter) = (options, logger ?? NullLogger.Instance, meter);
    }

    /// <summary>Finds the size.</summary>
    /// <param name="task">What will be trained; its module lies on the context's device.</param>
    /// <param name="source">The training examples; the longest ones are tried.</param>
    /// <param name="context">Device and seed.</param>
    /// <param name="most">Largest size of use, at least 1, such as the examples of an epoch.</param>
    /// <exception cref="MemoryException">Not even one example fits.</exception>
    public int Find(TrainingTask task, IBatchSource source, TrainerContext context, long most)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        most = Math.Min(most, Math.Min(source.Count, int.MaxValue));
        _measured.Clear();
        using var scope = NewDisposeScope();
        var longest = Longest(source, most);
        var before = ModuleState.Collect(task.Module).ToDictionary(entry => entry.Key, entry => entry.Value.detach().clone(), StringComparer.Ordinal);
        try
        {
            var meter = _meter ?? new DeviceMemoryMeter(context.Device);
            var budget = meter.Available is { } available ? (long)(UsableShare * available) - Reserve(task) : (long?)null;
            var size = Search(size => Fits(task, source, context, longest.AsSpan(0, (int)size), meter, budget), most);
            TrainingLog.BatchSizeFound(_logger, size, budget is null ? "by trying" : $"within {budget / 1_000_000} MB");
            return (int)size;
        }
        finally
        {
            ModuleState.Load(task.Module, before, "before the search of the batch size"); // running statistics have moved
        }
    }

    private static long Search(Func<long, bool> fits, long most)
    {
        var (low, high) = (0L, 1L);
        while (high <= most && fits(high))
        {
            (low, high) = (high, high * 2);
        }
        if (low == 0)
        {
            throw new MemoryException("batch_size auto: not even one example fits into memory. Use a smaller model, shorter examples, model.recompute, or a machine with more memory.");
        }
        high = Math.Min(high, most + 1);
        for (var i = 0; i < Refinements && high - low > 1; i++)
        {
            var middle = Round(low + ((high - low) / 2), low);
            if (fits(middle))
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }

    /// <summary>Down to a multiple of 8, which kernels like, where that is still above the size that fits.</summary>
    private static long Round(long size, long above) => size / 8 * 8 > above ? size / 8 * 8 : size;

    private bool Fits(TrainingTask task, IBatchSource source, TrainerContext context, ReadOnlySpan<long> examples, IMemoryMeter meter, long? budget)
    {
        var (size, numbers) = (examples.Length, examples.ToArray());
        if (budget is { } most && Predict(size) > most)
        {
            return false;
        }
        var start = TimeProvider.System.GetTimestamp();
        long growth;
        try
        {
            growth = meter.PeakGrowth(() => Try(task, source, context, numbers));
        }
        catch (MemoryException)
        {
            return false;
        }
        _measured.Add((size, growth));
        // Beyond this a larger batch only makes each step later, not the training faster.
        return (budget is null || growth <= budget) && TimeProvider.System.GetElapsedTime(start) <= LongestTrial;
    }

    /// <summary>Memory of a size by the steepest line through what was measured; 0 before there is one.</summary>
    private double Predict(long size)
    {
        if (_measured.Count < 2)
        {
            return _measured.Count == 0 ? 0 : _measured[0].Bytes;
        }
        var last = _measured.MaxBy(point => point.Size);
        var slope = _measured.Where(point => point.Size < last.Size).Max(point => (double)(last.Bytes - point.Bytes) / (last.Size - point.Size));
        return last.Bytes + (Math.Max(0, slope) * (size - last.Size));
    }

    private void Try(TrainingTask task, IBatchSource source, TrainerContext context, long[] examples)
    {
        task.Module.train();
        using var runner = new StepRunner(task, _options, context, PrecisionPolicy.Resolve(_options.Precision, context.Device, WorkKinds.Of(task.Module))) { CanSplit = false };
        runner.Accumulate(source.Read(examples), step: 0, epoch: 0, []);
    }

    /// <summary>What the optimiser will take besides.</summary>
    private static long Reserve(TrainingTask task) => OptimizerCopies * task.Module.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel() * parameter.element_size());

    /// <summary>The longest examples, which need the most memory; the first ones where there are too many to compare.</summary>
    private static long[] Longest(IBatchSource source, long most)
    {
        const long MostCompared = 1 << 20;
        var numbers = new long[Math.Min(source.Count, Math.Max(most, MostCompared))];
        for (var i = 0L; i < numbers.Length; i++)
        {
            numbers[i] = i;
        }
        return [.. numbers.OrderByDescending(source.LengthOf).Take((int)most)];
    }
}
