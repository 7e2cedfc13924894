namespace Nabla.Training.Tests;

/// <summary>The managed heap stays small however large a cache the collector sees.</summary>
public sealed class YoungGarbageTests
{
    [Fact]
    public void CollectIfMuch_AfterManySteps_HasCollectedEverySixteenMegabytes()
    {
        var (garbage, collections, most) = (new YoungGarbage(), GC.CollectionCount(0), 0L);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var step = 0; step < 2000; step++) // 128 MB in all
        {
            GC.KeepAlive(new byte[1 << 16]);
            garbage.CollectIfMuch();
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false) - before);
        }
        Assert.True(GC.CollectionCount(0) - collections >= 6, $"{GC.CollectionCount(0) - collections} collections");
        Assert.InRange(most, 0, 64L << 20); // other tests of this process allocate meanwhile
    }
}
