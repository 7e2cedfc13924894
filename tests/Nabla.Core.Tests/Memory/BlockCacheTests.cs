using CsCheck;
using Nabla.Core.Native;

namespace Nabla.Core.Tests.Memory;

public sealed class BlockCacheTests
{
    private const long Megabyte = 1 << 20;

    [Fact]
    public void SizeOf_AnySize_WastesAtMostAnEighthAndAPage()
        => Gen.Long[1, 1L << 40].Sample(bytes =>
        {
            var size = BlockCache.SizeOf(bytes);
            Assert.InRange(size, bytes, bytes + (bytes / 8) + 4096);
            Assert.Equal(0, size % 4096);
            Assert.Equal(size, BlockCache.SizeOf(size));
        });

    [Fact]
    public void Take_StepsOfTheSameShapes_MapNothingAfterTheFirst()
    {
        Pages pages = new();
        BlockCache cache = new(pages);
        long[] sizes = [3 * Megabyte, 300_000, 25 * Megabyte, 25 * Megabyte, 700_000];
        long[]? mapped = null;
        for (var step = 0; step < 20; step++)
        {
            var batch = cache.Take(400_000); // lives on into the next step
            nint[] blocks = [.. sizes.Select(size => cache.Take(size))];
            foreach (var block in step % 2 == 0 ? blocks : blocks.Reverse())
            {
                Assert.True(cache.Return(block));
            }
            mapped ??= [pages.Mapped];
            Assert.Equal(mapped[0], pages.Mapped);
            Assert.True(cache.Return(batch));
        }
        Assert.Equal(0, cache.BytesInUse);
    }

    /// <summary>Against a model: blocks never overlap, counts are right, and what is kept is bounded by what was in use at once.</summary>
    [Fact]
    public void TakeAndReturn_AnyOrder_KeepBlocksApartAndBounded()
        => Gen.Select(Gen.Bool, Gen.Long[1, 40 * Megabyte], Gen.Int[0, 1000]).Array[1, 300].Sample(operations =>
        {
            Pages pages = new();
            BlockCache cache = new(pages);
            List<(nint Start, long Bytes)> used = [];
            var peak = 0L;
            foreach (var (takes, bytes, which) in operations)
            {
                if (takes || used.Count == 0)
                {
                    var start = cache.Take(bytes);
                    Assert.Equal(0, start % 64);
                    Assert.True(pages.Holds(start, bytes));
                    Assert.DoesNotContain(used, other => start < other.Start + other.Bytes && other.Start < start + bytes);
                    used.Add((start, bytes));
                }
                else
                {
                    Assert.True(cache.Return(used[which % used.Count].Start));
                    used.RemoveAt(which % used.Count);
                }
                peak = Math.Max(peak, cache.BytesInUse);
                var least = used.Sum(block => block.Bytes);
                Assert.InRange(cache.BytesInUse, least, (least * 3 / 2) + (used.Count * 4096)); // a block may be a quarter larger than its size, rounded up
                Assert.InRange(cache.BytesKept, 0, Math.Max(64 * Megabyte, peak));
                Assert.InRange(cache.BytesInUse + cache.BytesKept, 0, Math.Max(64 * Megabyte, peak / 2 * 3));
            }
            Assert.False(cache.Return(1));
            used.ForEach(block => Assert.True(cache.Return(block.Start)));
            cache.Trim();
            Assert.Equal(0, pages.Mapped);
        }, iter: 200);

    [Fact]
    public void Take_NoMorePages_GivesWhatLiesIdleBackAndThenZero()
    {
        Pages pages = new(most: 70 * Megabyte);
        BlockCache cache = new(pages);
        var first = cache.Take(40 * Megabyte);
        Assert.Equal(0, cache.Take(40 * Megabyte));
        Assert.True(cache.Return(first));
        Assert.NotEqual(0, cache.Take(60 * Megabyte));
    }

    [Fact]
    public void Take_ManySmallBlocks_LeavesMappingsForOthers()
    {
        BlockCache cache = new(new Pages());
        var blocks = Enumerable.Range(0, 20_000).Select(_ => cache.Take(5000)).ToList();
        Assert.Contains(0, blocks); // the C library's heap goes on
        Assert.InRange(blocks.Count(block => block != 0), 10_000, 60_000);
    }

    /// <summary>Addresses without memory behind them.</summary>
    private sealed class Pages(long most = long.MaxValue) : IPageSource
    {
        private readonly SortedDictionary<long, long> _maps = [];
        private long _next = 1 << 21;

        public long Mapped { get; private set; }

        public nint Map(long bytes)
        {
            if (Mapped + bytes > most)
            {
                return 0;
            }
            var start = _next;
            _next += bytes;
            _maps.Add(start, bytes);
            Mapped += bytes;
            return (nint)start;
        }

        public void Unmap(nint start, long bytes)
        {
            Assert.Equal(bytes, _maps[start]);
            _maps.Remove(start);
            Mapped -= bytes;
        }

        public bool Holds(nint start, long bytes) => _maps.Any(map => map.Key <= start && start + bytes <= map.Key + map.Value);
    }
}
