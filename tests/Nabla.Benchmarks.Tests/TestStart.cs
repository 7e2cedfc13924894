using System.Runtime.CompilerServices;

namespace Nabla.Benchmarks.Tests;

internal static class TestStart
{
    /// <summary>Loads the native library before any test touches a tensor, with one thread, so that results do not depend on the machine.</summary>
    [ModuleInitializer]
    internal static void Initialize()
    {
        NablaRuntime.EnsureLoaded();
        set_num_threads(1);
    }
}
