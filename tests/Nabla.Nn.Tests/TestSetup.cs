using System.Runtime.CompilerServices;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Nabla.Nn.Tests;

/// <summary>One thread, so that results do not depend on the machine.</summary>
internal static class TestSetup
{
    [ModuleInitializer]
    internal static void Initialize()
    {
        NablaRuntime.EnsureLoaded();
        torch.set_num_threads(1);
    }
}
