using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Nabla.Core;

/// <summary>
/// Shares pieces of some microseconds among threads. Helpers look for work for a tenth of a millisecond before they sleep, so those of
/// one training step find each other without the system's help; and nobody waits for a helper that has not begun, so on a busy machine the calling
/// thread does all of it, as fast as alone. One call at a time is shared; others beside it run on their own thread.
/// </summary>
public static class KernelTeam
{
    private const int MostHelpers = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromMicroseconds(100);
    private static readonly SemaphoreSlim Signal = new(0);
    private static int _helpers, _sleeping, _isBusy;
    private static Job? _job;

    /// <summary>
    /// Calls a function for 0, 1, ..., each once, on at most as many threads as libtorch uses. Results must not depend on which thread takes
    /// which number. An exception is thrown here when all calls have ended.
    /// </summary>
    /// <param name="count">How many calls.</param>
    /// <param name="body">The function; calls run at once.</param>
    public static void Run(int count, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var helpers = count > 1 ? Math.Min(Math.Min(count, torch.get_num_threads()) - 1, MostHelpers) : 0;
        if (helpers == 0 || Interlocked.CompareExchange(ref _isBusy, 1, 0) != 0)
        {
            for (var i = 0; i < count; i++)
            {
                body(i);
            }
            return;
        }
        var job = new Job(count, helpers, body);
        try
        {
            for (; _helpers < helpers; _helpers++)
            {
                new Thread(Help) { IsBackground = true, Name = "Nabla kernels" }.Start();
            }
            Interlocked.Exchange(ref _job, job);
            if (Volatile.Read(ref _sleeping) is > 0 and var sleeping)
            {
                Signal.Release(Math.Min(sleeping, helpers));
            }
            job.Work();
            Interlocked.Exchange(ref _job, null);
            job.Wait();
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
        job.ThrowIfFailed();
    }

    private static void Help()
    {
        Job? last = null;
        while (true)
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience;)
            {
                if (Volatile.Read(ref _job) is { } job && job != last)
                {
                    last = job;
                    job.Help();
                    start = Stopwatch.GetTimestamp();
                    continue;
                }
                Thread.SpinWait(10);
                Thread.Yield(); // whoever else wants this core has it
            }
            last = null; // its arrays are free
            Interlocked.Increment(ref _sleeping);
            if (Volatile.Read(ref _job) is null) // else it came after the last look
            {
                Signal.Wait();
            }
            Interlocked.Decrement(ref _sleeping);
        }
    }

    private sealed class Job(int count, int helpers, Action<int> body)
    {
        private int _next, _done, _joined;
        private ExceptionDispatchInfo? _failure;

        /// <summary>Works as one of the helpers, unless there are enough.</summary>
        public void Help()
        {
            if (Interlocked.Increment(ref _joined) <= helpers)
            {
                Work();
            }
        }

        public void Work()
        {
            for (var i = Interlocked.Increment(ref _next) - 1; i < count; i = Interlocked.Increment(ref _next) - 1)
            {
                try
                {
                    body(i);
                }
#pragma warning disable CA1031 // A helper's exception belongs to the caller; ThrowIfFailed gives it back whole.
                catch (Exception failure)
#pragma warning restore CA1031
                {
                    Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
                }
                Interlocked.Increment(ref _done);
            }
        }

        /// <summary>Waits for calls that helpers have begun.</summary>
        public void Wait()
        {
            var spin = new SpinWait();
            while (Volatile.Read(ref _done) < count)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }

        public void ThrowIfFailed() => _failure?.Throw();
    }
}
