using System.Reflection;
using Xunit.v3;

namespace Nabla.Testing;

/// <summary>
/// Fails a synchronous test that leaves more live tensors on its thread than it found. It opens no scope: what the test makes, it frees.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LeaksNoTensorsAttribute : BeforeAfterTestAttribute
{
    [ThreadStatic]
    private static long _before;

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        NablaRuntime.EnsureLoaded();
        _before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
    }

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        var leaked = DisposeScopeManager.Statistics.ThreadTotalLiveCount - _before;
        Xunit.Assert.True(leaked <= 0, $"{leaked} tensors are still alive after the test: dispose them, or open a scope.");
    }
}
