namespace Nabla.Core.Tests.Kernels;

/// <summary>Work that is shared among threads.</summary>
public sealed class KernelTeamTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public void Run_OverAndOver_CallsEachNumberOnce(int count)
    {
        for (var round = 0; round < 200; round++)
        {
            var calls = new int[count];
            KernelTeam.Run(count, i => Interlocked.Increment(ref calls[i]));
            Assert.All(calls, times => Assert.Equal(1, times));
            if (round % 50 == 0)
            {
                Thread.Sleep(2); // helpers fall asleep
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_OfUnequalWorkOnSomeThreads_CallsEachNumberOnce(int threads)
    {
        var before = get_num_threads();
        var random = new Random(3);
        try
        {
            for (var round = 0; round < 300; round++)
            {
                set_num_threads(1 + (round % threads)); // fewer than there are helpers
                var work = Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(4) == 0 ? 0 : random.Next(1000)).ToArray();
                var calls = new int[work.Length];
                KernelTeam.Run(work, i => Interlocked.Increment(ref calls[i]));
                Assert.All(calls, times => Assert.Equal(1, times));
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Run_FromSeveralThreadsAndWithin_CallsEachNumberOnce()
    {
        var calls = 0;
        Parallel.For(0, 4, _ =>
        {
            for (var round = 0; round < 100; round++)
            {
                KernelTeam.Run(3, _ => KernelTeam.Run(5, _ => Interlocked.Increment(ref calls)));
            }
        });
        Assert.Equal(4 * 100 * 3 * 5, calls);
    }

    [Fact]
    public void Run_WithABodyThatThrows_ThrowsItWhenThoseThatBeganHaveEnded()
    {
        var calls = 0;
        var error = Assert.Throws<InvalidDataException>(() => KernelTeam.Run(50, i =>
        {
            Interlocked.Increment(ref calls);
            if (i == 7)
            {
                throw new InvalidDataException("seven");
            }
        }));
        Assert.Equal("seven", error.Message);
        Assert.InRange(calls, 8, 50);
        KernelTeam.Run(2, _ => { });
    }
}
