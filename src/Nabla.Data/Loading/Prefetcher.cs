namespace Nabla.Data;

/// <summary>Prepares batches on threads of its own, a bounded number ahead of the consumer, and gives them in the order of the work.</summary>
internal static class Prefetcher
{
    /// <summary>
    /// Gives the batches of the pieces of work in order, whatever the number of workers. An error comes after the batches before it, as
    /// itself. When the consumer leaves, the workers are stopped and waited for, and every batch that was not taken is disposed.
    /// </summary>
    /// <typeparam name="TWork">What a batch is made of, such as its number.</typeparam>
    /// <param name="list">Lists the work; must look at its token. Runs on the background threads, one at a time.</param>
    /// <param name="prepare">Makes a batch; runs on several threads at once when there are several workers.</param>
    /// <param name="ahead">Batches prepared ahead; 0 does everything in the consumer's thread.</param>
    /// <param name="workers">Threads that prepare, at least 1; more than <paramref name="ahead"/> are of no use.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static IEnumerable<Batch> Run<TWork>(
        Func<CancellationToken, IEnumerable<TWork>> list, Func<TWork, Batch> prepare, int ahead, int workers, CancellationToken cancellationToken)
        => ahead == 0 ? RunHere(list, prepare, cancellationToken) : RunAhead(list, prepare, ahead, workers, cancellationToken);

    private static IEnumerable<Batch> RunHere<TWork>(Func<CancellationToken, IEnumerable<TWork>> list, Func<TWork, Batch> prepare, CancellationToken stop)
    {
        foreach (var work in list(stop))
        {
            yield return prepare(work);
        }
    }

    private static IEnumerable<Batch> RunAhead<TWork>(
        Func<CancellationToken, IEnumerable<TWork>> list, Func<TWork, Batch> prepare, int ahead, int workers, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var crew = new LoaderCrew<TWork>(list, prepare, ahead, stop.Token);
        crew.Start(Math.Min(ahead, workers));
        try
        {
            while (crew.Take(cancellationToken) is { } batch)
            {
                yield return batch;
            }
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            stop.Cancel();
            crew.Join();
        }
    }
}
