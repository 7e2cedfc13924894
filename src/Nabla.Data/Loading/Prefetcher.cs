using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Runs a producer of batches on one thread of its own, a bounded number of batches ahead of the consumer.</summary>
internal static class Prefetcher
{
    /// <summary>
    /// Gives the producer's batches in order. An error of the producer comes after the batches before it, as itself. When the
    /// consumer leaves, the producer is stopped, waited for, and every batch that was not taken is disposed.
    /// </summary>
    /// <param name="produce">Makes the batches; must look at its token between batches. Runs on the background thread.</param>
    /// <param name="ahead">Batches prepared ahead; 0 runs the producer in the consumer's thread.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static IEnumerable<Batch> Run(Func<CancellationToken, IEnumerable<Batch>> produce, int ahead, CancellationToken cancellationToken)
        => ahead == 0 ? produce(cancellationToken) : RunAhead(produce, ahead, cancellationToken);

    private static IEnumerable<Batch> RunAhead(Func<CancellationToken, IEnumerable<Batch>> produce, int ahead, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var slots = new SemaphoreSlim(ahead, ahead);
        using var ready = new BlockingCollection<Batch>();
        ExceptionDispatchInfo? error = null;
        var thread = new Thread(() => error = Produce(produce, slots, ready, stop.Token)) { IsBackground = true, Name = "nabla-loader" };
        thread.Start();
        try
        {
            while (ready.TryTake(out var batch, Timeout.Infinite, cancellationToken))
            {
                slots.Release();
                yield return batch;
            }
            thread.Join();
            error?.Throw();
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            stop.Cancel();
            thread.Join();
            while (ready.TryTake(out var unused))
            {
                unused.Dispose();
            }
        }
    }

    /// <summary>The background thread's whole work; never throws, since nobody would catch it.</summary>
    private static ExceptionDispatchInfo? Produce(Func<CancellationToken, IEnumerable<Batch>> produce, SemaphoreSlim slots,
        BlockingCollection<Batch> ready, CancellationToken stop)
    {
        try
        {
            NablaRuntime.UseOneThreadHere();
            using var batches = produce(stop).GetEnumerator();
            while (true)
            {
                slots.Wait(stop); // before the batch is made, so that no more than the bound exist
                if (!batches.MoveNext())
                {
                    return null;
                }
                ready.Add(batches.Current, CancellationToken.None);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
#pragma warning disable CA1031 // whatever it is, the consumer rethrows it
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return ExceptionDispatchInfo.Capture(exception);
        }
        finally
        {
            ready.CompleteAdding();
        }
    }
}
