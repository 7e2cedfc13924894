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
    public void Run_WithABodyThatThrows_ThrowsItWhenAllHaveEnded()
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
        Assert.Equal(50, calls);
        KernelTeam.Run(2, _ => { });
    }
}
