using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Memory of tensors on the CPU from 64 KB on. What a training step frees is kept for the next one in blocks that never split, in huge pages where the
/// system has them: memory stays where it was after the first steps however long a run is, and no step pays for cleared pages. On Linux x64 with
/// a libtorch whose allocator is the expected one; elsewhere, or with <c>NABLA_ALLOCATOR=system</c>, the C library's heap serves. Thread-safe.
/// </summary>
public static class TensorHeap
{
    private const string Variable = "NABLA_ALLOCATOR", Library = "system";
    private static readonly BlockCache Blocks = new(new HugePages());
    private static readonly Lock Gate = new();
    private static AllocatorHook? _hook;
    private static int _pauses;

    /// <summary>Whether large tensors come from here at this moment.</summary>
    public static bool IsActive => _hook is not null && Volatile.Read(ref _pauses) == 0;

    /// <summary>Whether the environment asks for the C library's heap.</summary>
    internal static bool IsSwitchedOff => Environment.GetEnvironmentVariable(Variable) == Library;

    /// <summary>Bytes of the tensors in it, in whole blocks.</summary>
    public static long BytesInUse => Blocks.BytesInUse;

    /// <summary>Bytes of blocks that wait for their next use.</summary>
    public static long BytesKept => Blocks.BytesKept;

    /// <summary>Gives what waits for its next use back to the system.</summary>
    public static void Trim() => Blocks.Trim();

    /// <summary>
    /// Tensors that this process makes until the result is disposed are allocated by libtorch's own allocator, as without Nabla: for comparisons. Tensors that exist stay where they are.
    /// </summary>
    public static IDisposable Pause()
    {
        lock (Gate)
        {
            _pauses++;
            _hook?.Pause(true);
        }
        return new Pausing();
    }

    /// <summary>Takes memory for a kernel.</summary>
    /// <param name="bytes">How much.</param>
    /// <returns>Where it begins, on the boundary of a cache line; 0 where the C library's heap serves, or there is no more.</returns>
    internal static nint Take(long bytes) => IsActive ? Blocks.Take(bytes) : 0;

    /// <summary>Gives back what <see cref="Take"/> gave.</summary>
    internal static void Return(nint address) => Blocks.Return(address);

    /// <summary>Installs it into a libtorch that was just loaded.</summary>
    /// <exception cref="NativeLibraryException">The variable has an unknown value.</exception>
    internal static void Install(nint torch)
    {
        switch (Environment.GetEnvironmentVariable(Variable))
        {
            case null or "" or "nabla":
                lock (Gate)
                {
                    _hook = AllocatorHook.Install(torch, Blocks);
                    _hook?.Pause(_pauses > 0);
                }
                break;
            case Library:
                break;
            case var other:
                throw new NativeLibraryException($"{Variable}: expected 'nabla' or '{Library}', got '{other}'.");
        }
    }

    private sealed class Pausing : IDisposable
    {
        private bool _isDone;

        public void Dispose()
        {
            lock (Gate)
            {
                _pauses -= _isDone ? 0 : 1;
                _isDone = true;
                _hook?.Pause(_pauses > 0);
            }
        }
    }
}
