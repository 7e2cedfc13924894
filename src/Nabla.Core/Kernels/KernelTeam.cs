using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Nabla.Core;

/// <summary>
/// Shares pieces of some microseconds among threads. Each thread begins with its own part of the numbers, the same in each call, so that what it wrote in one
/// call is in its core's cache in the next, and takes from the ends of the others' parts when it is done. Helpers look for work for a tenth of a millisecond before they sleep, so those of
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
    /// which number. An exception is thrown here when all calls that began have ended.
    /// </summary>
    /// <param name="count">How many calls.</param>
    /// <param name="body">The function; calls run at once.</param>
    public static void Run(int count, Action<int> body) => Run(count, [], body);

    /// <summary>The same for calls of unequal work: the parts that the threads begin with are of equal work rather than equal length.</summary>
    /// <param name="work">Work of each call, in any unit; at least 0.</param>
    /// <param name="body">The function; calls run at once.</param>
    public static void Run(ReadOnlySpan<int> work, Action<int> body) => Run(work.Length, work, body);

    private static void Run(int count, ReadOnlySpan<int> work, Action<int> body)
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
        var job = new Job(count, work, helpers, body);
        try
        {
            for (; _helpers < helpers; _helpers++)
            {
                var number = _helpers + 1;
                new Thread(() => Help(number)) { IsBackground = true, Name = "Nabla kernels" }.Start();
            }
            Interlocked.Exchange(ref _job, job);
            if (Volatile.Read(ref _sleeping) is > 0 and var sleeping)
            {
                Signal.Release(Math.Min(sleeping, helpers));
            }
            job.Work(0);
            Interlocked.Exchange(ref _job, null);
            job.Wait();
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
        job.ThrowIfFailed();
    }

    private static void Help(int number)
    {
        Job? last = null;
        while (true)
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience;)
            {
                if (Volatile.Read(ref _job) is { } job && job != last)
                {
                    last = job;
                    job.Help(number);
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

    private sealed class Job
    {
        private const int Line = 64 / sizeof(long); // parts lie in cache lines of their own
        private readonly int _count, _threads;
        private readonly Action<int> _body;
        private readonly long[] _parts; // what is left of each thread's part: its first number in the low half, the one behind its last in the high half
        private int _done, _joined;
        private ExceptionDispatchInfo? _failure;

        public Job(int count, ReadOnlySpan<int> work, int helpers, Action<int> body)
        {
            (_count, _threads, _body, _parts) = (count, helpers + 1, body, new long[(helpers + 2) * Line]);
            var total = 0L;
            foreach (var one in work)
            {
                total += one;
            }
            var (first, done) = (0L, 0L);
            for (var thread = 0L; thread < _threads; thread++)
            {
                var end = count * (thread + 1) / _threads;
                if (!work.IsEmpty)
                {
                    // A call belongs to the part in which its middle lies, so that one large call at a border makes neither part far too long.
                    for (end = first; end < count && (thread == helpers || done + (work[(int)end] / 2) < total * (thread + 1) / _threads); end++)
                    {
                        done += work[(int)end];
                    }
                }
                _parts[Place(thread)] = first | (end << 32);
                first = end;
            }
        }

        /// <summary>Works as one of the helpers, unless there are enough. Of more helpers than the job has parts any may have been awake.</summary>
        public void Help(int number)
        {
            if (Interlocked.Increment(ref _joined) < _threads)
            {
                Work(1 + ((number - 1) % (_threads - 1)));
            }
        }

        /// <summary>Works on the part of a thread, then on what is left of the others'.</summary>
        public void Work(int thread)
        {
            while (TakeFirst(thread, out var number))
            {
                Call(number);
            }
            for (var other = 1; other < _threads; other++)
            {
                while (TakeLast((thread + other) % _threads, out var number))
                {
                    Call(number);
                }
            }
        }

        private static long Place(long thread) => (thread + 1) * Line;

        private bool TakeFirst(int thread, out int number)
        {
            ref var part = ref _parts[Place(thread)];
            while (true)
            {
                var left = Volatile.Read(ref part);
                number = (int)left;
                if (number >= left >> 32)
                {
                    return false;
                }
                if (Interlocked.CompareExchange(ref part, left + 1, left) == left)
                {
                    return true;
                }
            }
        }

        private bool TakeLast(int thread, out int number)
        {
            ref var part = ref _parts[Place(thread)];
            while (true)
            {
                var left = Volatile.Read(ref part);
                number = (int)(left >> 32) - 1;
                if ((int)left > number)
                {
                    return false;
                }
                if (Interlocked.CompareExchange(ref part, left - (1L << 32), left) == left)
                {
                    return true;
                }
            }
        }

        private void Call(int number)
        {
            try
            {
                _body(number);
            }
#pragma warning disable CA1031 // A helper's exception belongs to the caller; ThrowIfFailed gives it back whole.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
            }
            Interlocked.Increment(ref _done);
        }

        /// <summary>Waits for calls that helpers have begun.</summary>
        public void Wait()
        {
            var spin = new SpinWait();
            while (Volatile.Read(ref _done) < _count)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }

        public void ThrowIfFailed() => _failure?.Throw();
    }
}
