using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Shares pieces of work among the threads that libtorch itself uses. Where that is GNU OpenMP the pieces run on its team for the calling thread,
/// which spins for some microseconds between two operations: no pool of .NET threads competes with it for the same cores, and a piece of 20
/// microseconds is worth sharing. Elsewhere the .NET pool does it.
/// </summary>
public static unsafe class ThreadTeam
{
    private static readonly Lazy<nint> Parallel = new(Find, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Threads of the calling thread's team, itself included.</summary>
    public static int Size => torch.get_num_threads();

    /// <summary>
    /// Calls a function for 0, 1, ..., each once, on any thread of the team and in any order. Results must not depend on which thread takes
    /// which number. An exception is thrown here when all have stopped.
    /// </summary>
    /// <param name="count">How many calls.</param>
    /// <param name="body">The function; calls run at once.</param>
    public static void Run(int count, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var threads = count > 1 ? Size : 1;
        if (threads == 1)
        {
            for (var i = 0; i < count; i++)
            {
                body(i);
            }
            return;
        }
        if (Parallel.Value == 0)
        {
            System.Threading.Tasks.Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Math.Min(count, threads) }, body);
            return;
        }
        var work = new Work(count, body);
        var handle = GCHandle.Alloc(work);
        try
        {
            // 0: as many as the team has. With fewer it would end the others, and starting them again takes longer than most work here.
            ((delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)Parallel.Value)(&Enter, GCHandle.ToIntPtr(handle), 0, 0);
        }
        finally
        {
            handle.Free();
        }
        work.ThrowIfFailed();
    }

    [UnmanagedCallersOnly]
    private static void Enter(nint work) => Unsafe.As<Work>(GCHandle.FromIntPtr(work).Target!).Take();

    private static nint Find()
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }
        foreach (var file in Directory.EnumerateFiles(NativeBootstrap.Loaded.Folder, "libgomp*")) // the one that libtorch has loaded
        {
            if (NativeLibrary.TryLoad(file, out var library) && NativeLibrary.TryGetExport(library, "GOMP_parallel", out var function))
            {
                return function;
            }
        }
        return 0;
    }

    /// <summary>Numbers that are still to be taken.</summary>
    private sealed class Work(int count, Action<int> body)
    {
        private int _next;
        private System.Runtime.ExceptionServices.ExceptionDispatchInfo? _failure;

        public void Take()
        {
            try
            {
                for (var i = Interlocked.Increment(ref _next) - 1; i < count; i = Interlocked.Increment(ref _next) - 1)
                {
                    body(i);
                }
            }
#pragma warning disable CA1031 // No exception may reach the native frames of a team's thread; ThrowIfFailed gives it back whole.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(failure), null);
                Volatile.Write(ref _next, count);
            }
        }

        public void ThrowIfFailed() => _failure?.Throw();
    }
}
