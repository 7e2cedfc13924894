using System.Globalization;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>How much memory this process uses and may use, in bytes. Thread-safe.</summary>
public static class ProcessMemory
{
    private const string Status = "/proc/self/status", ClearReferences = "/proc/self/clear_refs";

    /// <summary>
    /// What native code holds at this moment, tensors included: the heap's own count where it is offered (glibc), else <see cref="Resident"/>.
    /// A difference of two such numbers says what lies between them; the managed heap is not counted.
    /// </summary>
    public static long Live => NativeHeap.BytesInUse is { } heap ? heap + TensorHeap.BytesInUse : Resident;

    /// <summary>Physical memory of this process.</summary>
    public static long Resident => Environment.WorkingSet;

    /// <summary>
    /// What this process can still take: the system's free memory, and what the container's or the runtime's limit leaves, whichever is less.
    /// </summary>
    public static long Available
    {
        get
        {
            var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes; // knows the container's limit
            var left = Math.Max(0, limit - Resident);
            return ReadKilobytes("/proc/meminfo", "MemAvailable:") is { } free ? Math.Min(free, left) : left;
        }
    }

    /// <summary>By how much an action raises the physical memory of this process at its worst moment, at least 0.</summary>
    /// <param name="action">What is measured; what it frees before its end counts too.</param>
    public static long PeakGrowth(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        TensorHeap.Trim();
        NativeHeap.Trim(); // what was freed before would be used again and hide the growth
        var before = Resident;
        if (TryResetPeak())
        {
            action();
            return Math.Max(0, (ReadKilobytes(Status, "VmHWM:") ?? Resident) - before);
        }
        using var sampler = new PeakSampler();
        action();
        return Math.Max(0, sampler.Stop() - before);
    }

    private static bool TryResetPeak()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }
        try
        {
            File.WriteAllText(ClearReferences, "5"); // proc(5): resets the peak resident set
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false; // a container may forbid it
        }
    }

    private static long? ReadKilobytes(string file, string key)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(file))
        {
            return null;
        }
        foreach (var line in File.ReadLines(file))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                var number = line.AsSpan(key.Length).Trim().ToString().Split(' ')[0];
                return long.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture) * 1024;
            }
        }
        return null;
    }

    /// <summary>Looks at the resident memory every millisecond, where the system keeps no peak that can be reset.</summary>
    private sealed class PeakSampler : IDisposable
    {
        private readonly Thread _thread;
        private volatile bool _isStopped;
        private long _peak = Resident;

        public PeakSampler()
        {
            _thread = new(() =>
            {
                while (!_isStopped)
                {
                    _peak = Math.Max(_peak, Resident);
                    Thread.Sleep(1);
                }
            })
            { IsBackground = true, Name = "nabla-memory" };
            _thread.Start();
        }

        public long Stop()
        {
            _isStopped = true;
            _thread.Join();
            return Math.Max(_peak, Resident);
        }

        public void Dispose() => Stop();
    }
}
