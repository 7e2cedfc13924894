using System.Diagnostics;

namespace Nabla.Benchmarks;

/// <summary>The rate of some work that several threads do at once.</summary>
internal static class ParallelRate
{
    /// <summary>The best sum of all threads' rates over several rounds.</summary>
    /// <param name="threads">Threads, at least 1.</param>
    /// <param name="seconds">About how long to measure.</param>
    /// <param name="work">A piece of work that says how much it was; called on each thread.</param>
    public static double Best(int threads, double seconds, Func<double> work) => Best(threads, seconds, _ => work);

    /// <summary>As above, with work that each thread prepares for itself.</summary>
    public static double Best(int threads, double seconds, Func<int, Func<double>> prepare)
    {
        const int Rounds = 4;
        var rates = new double[threads, Rounds];
        using var barrier = new Barrier(threads);
        void Measure(int thread)
        {
            var work = prepare(thread);
            work(); // warm-up
            for (var round = 0; round < Rounds; round++)
            {
                barrier.SignalAndWait();
                var (start, done) = (Stopwatch.GetTimestamp(), 0.0);
                do
                {
                    done += work();
                }
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds / Rounds);
                rates[thread, round] = done / Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }
        var others = Enumerable.Range(1, threads - 1).Select(thread => new Thread(() => Measure(thread)) { IsBackground = true, Name = "Nabla probe" }).ToArray();
        foreach (var other in others)
        {
            other.Start();
        }
        Measure(0);
        foreach (var other in others)
        {
            other.Join();
        }
        return Enumerable.Range(0, Rounds).Max(round => Enumerable.Range(0, threads).Sum(thread => rates[thread, round]));
    }
}
