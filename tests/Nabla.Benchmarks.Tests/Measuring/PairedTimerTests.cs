namespace Nabla.Benchmarks.Tests;

public sealed class PairedTimerTests
{
    [Fact]
    public void Run_TakesTheSidesInTurns_ABBA()
    {
        List<char> calls = [];
        void Note(char side)
        {
            calls.Add(side);
            Thread.Sleep(2); // longer than a slice, so that each slice is one call
        }

        var times = PairedTimer.Run(() => Note('A'), () => Note('B'), rounds: 3, minimumSeconds: 0.001);

        Assert.Equal(3, times.Count);
        Assert.EndsWith("ABBAABBAABBA", new string([.. calls]), StringComparison.Ordinal);
        Assert.All(times, time => Assert.True(time.A >= 0.002 && time.B >= 0.002));
    }

    [Fact]
    public void Run_RepeatsShortActions_UntilASliceIsFull()
    {
        var (a, b) = (0, 0);

        PairedTimer.Run(() => a++, () => b++, rounds: 1, minimumSeconds: 0.01);

        Assert.True(a > 1000 && b > 1000, $"{a} and {b}");
    }

    [Fact]
    public void Run_Cancelled_Stops()
    {
        using CancellationTokenSource source = new();

        Assert.Throws<OperationCanceledException>(() => PairedTimer.Run(source.Cancel, () => { }, rounds: 2, minimumSeconds: 0.001, cancellationToken: source.Token));
    }
}
