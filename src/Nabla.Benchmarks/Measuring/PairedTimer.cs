using System.Diagnostics;

namespace Nabla.Benchmarks;

/// <summary>
/// Times two actions in turns, A B B A, in rounds: what slows the machine meanwhile slows both, and what drifts over a round hits both alike.
/// </summary>
internal static class PairedTimer
{
    private const double WarmUpSeconds = 1.5; // of each action

    /// <summary>Seconds of one run of each, round by round.</summary>
    /// <param name="a">The first action, such as the baseline.</param>
    /// <param name="b">The second one.</param>
    /// <param name="rounds">Rounds to count, at least 1.</param>
    /// <param name="minimumSeconds">A slice of a round repeats its action until about this time has passed, so that short ones are measured as well as long ones.</param>
    /// <param name="settle">Waits at the end of a slice until all of its work is done; null: it is.</param>
    /// <param name="cancellationToken">Looked at between rounds.</param>
    public static IReadOnlyList<PairedTime> Run(Action a, Action b, int rounds, double minimumSeconds = 0.2, Action? settle = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        var (repeatsA, repeatsB) = (Repeats(a, minimumSeconds, settle), Repeats(b, minimumSeconds, settle));
        var times = new PairedTime[rounds];
        for (var round = 0; round < rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            double firstA, firstB, secondA, secondB;
            firstA = Time(a, repeatsA, settle);
            firstB = Time(b, repeatsB, settle);
            secondB = Time(b, repeatsB, settle);
            secondA = Time(a, repeatsA, settle);
            times[round] = new((firstA + secondA) / 2, (firstB + secondB) / 2);
        }
        return times;
    }

    /// <summary>Warms up and finds how often an action fits into a slice.</summary>
    private static int Repeats(Action action, double minimumSeconds, Action? settle)
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            Time(action, 1, settle); // builds kernels, allocates, and lets the runtime compile what is called often, which it does beside and in several tiers
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < WarmUpSeconds);
        var (repeats, seconds) = (1, Time(action, 1, settle));
        while (seconds < minimumSeconds / 2)
        {
            repeats *= 2;
            seconds = Time(action, repeats, settle) * repeats;
        }
        return Math.Max(1, (int)Math.Round(minimumSeconds / (seconds / repeats)));
    }

    private static double Time(Action action, int repeats, Action? settle)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++)
        {
            action();
        }
        settle?.Invoke();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }
}

/// <summary>Seconds of one run of each of two actions, in one round.</summary>
/// <param name="A">The first.</param>
/// <param name="B">The second.</param>
internal readonly record struct PairedTime(double A, double B);
