using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>
/// Native scratch memory of a kernel, on a cache line's boundary. Buffers of a thread are used again, the last returned first, so a step takes
/// none from the system once the first has run.
/// </summary>
internal unsafe readonly ref struct KernelBuffer
{
    private readonly Block? _block;

    /// <summary>Takes a buffer of at least so many bytes; its content is undefined.</summary>
    public KernelBuffer(long bytes) => _block = Pool.Take(bytes);

    /// <summary>Where it begins.</summary>
    public void* Address => _block is null ? null : _block.Address;

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (_block is not null)
        {
            Pool.Return(_block);
        }
    }

    /// <summary>What a thread keeps; freed when the thread is gone.</summary>
    private static class Pool
    {
        private const int Alignment = 64;
        private const int MostKept = 16;
        private const long LeastFromHeap = 1 << 20; // bytes; such blocks are shared by all threads, and counted and bounded there

        [ThreadStatic]
        private static List<Block>? _free;

        public static Block Take(long bytes)
        {
            if (bytes >= LeastFromHeap && TensorHeap.Take(bytes) is not 0 and var address)
            {
                return new Block((void*)address, bytes, isFromHeap: true);
            }
            var free = _free ??= [];
            var best = -1;
            for (var i = free.Count - 1; i >= 0; i--)
            {
                if (free[i].Bytes >= bytes && (best < 0 || free[i].Bytes < free[best].Bytes))
                {
                    best = i;
                }
            }
            if (best < 0)
            {
                return new Block(NativeMemory.AlignedAlloc((nuint)bytes, Alignment), bytes);
            }
            var block = free[best];
            free.RemoveAt(best);
            return block;
        }

        public static void Return(Block block)
        {
            if (block.IsFromHeap)
            {
                block.Dispose();
                return;
            }
            var free = _free ??= [];
            free.Add(block);
            if (free.Count > MostKept)
            {
                free[0].Dispose();
                free.RemoveAt(0);
            }
        }
    }

    private sealed class Block(void* address, long bytes, bool isFromHeap = false) : IDisposable
    {
        private void* _address = address;

        ~Block() => Free();

        public void* Address => _address;

        public long Bytes => bytes;

        public bool IsFromHeap => isFromHeap;

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            if (isFromHeap)
            {
                TensorHeap.Return((nint)_address);
            }
            else
            {
                NativeMemory.AlignedFree(_address);
            }
            _address = null;
        }
    }
}
