using System.Runtime.CompilerServices;

namespace Nabla.Training.Tests;

/// <summary>Loads the native library before any test can touch a TorchSharp type, and keeps it to one thread.</summary>
internal static class TestSetup
{
    [ModuleInitializer]
    internal static void Run()
    {
        NablaRuntime.EnsureLoaded();
        set_num_threads(1);
    }
}
