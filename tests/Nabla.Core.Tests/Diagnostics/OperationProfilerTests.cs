namespace Nabla.Core.Tests;

public sealed class OperationProfilerTests
{
    [Fact]
    public void Stop_GivesTheOperationsOfForwardAndBackwardInTheirPlaces()
    {
        NablaRuntime.EnsureLoaded();
        Assert.SkipUnless(OperationProfiler.IsAvailable, "not exported by this libtorch");
        using var scope = NewDisposeScope();
        var (x, w) = (randn(32, 16), randn(8, 16).requires_grad_(true));
        using var profiler = OperationProfiler.Start();

        nn.functional.linear(x, w).tanh().sum().backward();
        var events = profiler.Stop();

        Assert.Contains(events, e => e.Name == "aten::matmul");
        Assert.Contains(events, e => e.Name.Contains("TanhBackward", StringComparison.Ordinal));
        var linear = events.First(e => e.Name == "aten::matmul");
        Assert.Contains(events, e => e.Name is "aten::mm" or "aten::addmm" && e.Start >= linear.Start && e.Start + e.Duration <= linear.Start + linear.Duration);
        Assert.All(events, e => Assert.True(e.Start >= TimeSpan.Zero && e.Duration >= TimeSpan.Zero));
    }

    [Fact]
    public void Memory_PeakGrowth_SeesWhatWasFreed()
    {
        NablaRuntime.EnsureLoaded();
        const long Bytes = 256 << 20;
        var grown = ProcessMemory.PeakGrowth(() =>
        {
            using var large = zeros([Bytes], ScalarType.Byte);
            large.fill_(1);
        });
        Assert.InRange(grown, (long)(0.9 * Bytes), 2 * Bytes);
        Assert.True(ProcessMemory.Available > 0);
        var before = ProcessMemory.Live;
        using var kept = zeros([Bytes], ScalarType.Byte);
        Assert.InRange(ProcessMemory.Live - before, (long)(0.9 * Bytes), 2 * Bytes);
    }
}
