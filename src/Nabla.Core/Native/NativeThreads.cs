using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>How many native threads serve a managed thread.</summary>
internal static unsafe class NativeThreads
{
    private static readonly Lazy<nint> SetThreads = new(Find);

    /// <summary>
    /// Lets the native operations of the calling thread run on it alone. Each thread that calls OpenMP code has a team of its own; a
    /// background thread with a full team would take the cores from the one that trains, and both wait for each other at every barrier.
    /// Does nothing where libtorch does not use OpenMP.
    /// </summary>
    public static void UseOne()
    {
        if (SetThreads.Value is not 0 and var function)
        {
            // libtorch sets each thread's team when the thread first asks for it; that must have happened, or it would undo the next line.
            _ = torch.get_num_threads();
            ((delegate* unmanaged<int, void>)function)(1); // omp_set_num_threads: a setting of the calling thread only
        }
    }

    private static nint Find()
    {
        // The OpenMP runtime that libtorch itself has loaded, under whatever file name its build has.
        var folder = NativeBootstrap.Loaded.Folder;
        foreach (var pattern in new[] { "libgomp*", "libiomp5*", "libomp*" })
        {
            foreach (var file in Directory.EnumerateFiles(folder, pattern))
            {
                if (NativeLibrary.TryLoad(file, out var library) && NativeLibrary.TryGetExport(library, "omp_set_num_threads", out var function))
                {
                    return function;
                }
            }
        }
        return 0;
    }
}
