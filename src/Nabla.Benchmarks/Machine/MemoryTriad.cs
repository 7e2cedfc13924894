using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nabla.Benchmarks;

/// <summary>Memory bandwidth by McCalpin's (1995) STREAM triad, <c>a = b + s * c</c>, on arrays that no cache holds.</summary>
internal static unsafe class MemoryTriad
{
    private const int Bytes = 64 << 20; // each of three arrays of each thread

    /// <summary>Bytes a second of all threads together; what the processor reads before it writes is not counted.</summary>
    /// <param name="threads">Threads that compute at once.</param>
    /// <param name="seconds">About how long to measure.</param>
    public static double BytesPerSecond(int threads, double seconds)
    {
        var arrays = new nint[threads, 3];
        try
        {
            for (var thread = 0; thread < threads; thread++)
            {
                for (var array = 0; array < 3; array++)
                {
                    arrays[thread, array] = (nint)NativeMemory.AlignedAlloc(Bytes, 64);
                    new Span<byte>((void*)arrays[thread, array], Bytes).Fill(1); // pages exist only once they are written
                }
            }
            return ParallelRate.Best(threads, seconds, thread => () =>
            {
                Triad((float*)arrays[thread, 0], (float*)arrays[thread, 1], (float*)arrays[thread, 2], Bytes / sizeof(float));
                return 3.0 * Bytes;
            });
        }
        finally
        {
            foreach (var array in arrays)
            {
                NativeMemory.AlignedFree((void*)array);
            }
        }
    }

    /// <summary>The same on another device, by one operation of libtorch.</summary>
    public static double DeviceBytesPerSecond()
    {
        const int Repeats = 20;
        using var scope = NewDisposeScope();
        Tensor[] arrays = [.. Enumerable.Range(0, 2).Select(_ => ones(Bytes / sizeof(float), device: WorkloadDevice.Current))];
        var start = 0L;
        for (var i = -1; i < Repeats; i++) // the first is warm-up
        {
            if (i == 0)
            {
                WorkloadDevice.Synchronize();
                start = Stopwatch.GetTimestamp();
            }
            arrays[0].add(arrays[1], alpha: Number.Of(3)).Dispose();
        }
        WorkloadDevice.Synchronize();
        return 3.0 * Bytes * Repeats / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Triad(float* a, float* b, float* c, int length)
    {
        var scale = new Vector<float>(3);
        for (var i = 0; i < length; i += Vector<float>.Count)
        {
            (Vector.Load(b + i) + (scale * Vector.Load(c + i))).Store(a + i);
        }
    }
}
