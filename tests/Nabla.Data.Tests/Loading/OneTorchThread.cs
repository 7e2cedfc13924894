using System.Runtime.CompilerServices;
using Nabla.Core;

namespace Nabla.Data.Tests;

internal static class OneTorchThread
{
    [ModuleInitializer]
    internal static void Set()
    {
        NablaRuntime.EnsureLoaded();
        set_num_threads(1);
    }
}
