using System.Runtime.ExceptionServices;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// The threads of a <see cref="Prefetcher"/>. Each takes the next piece of work under a lock, so its number is its place in the order;
/// results wait by number until the consumer comes to them.
/// </summary>
internal sealed class LoaderCrew<TWork> : IDisposable
{
    private readonly Func<CancellationToken, IEnumerable<TWork>> _list;
    private readonly Func<TWork, Batch> _prepare;
    private readonly CancellationToken _stop;
    private readonly SemaphoreSlim _slots;
    private readonly Lock _work = new();
    private readonly object _results = new(); // a monitor: the consumer waits on it
    private readonly Dictionary<long, (Batch? Batch, ExceptionDispatchInfo? Error)> _done = [];
    private readonly List<Thread> _threads = [];
    private IEnumerator<TWork>? _remaining;
    private long _handedOut, _taken;
    private int _working, _open;
    private bool _isListed;

    public LoaderCrew(Func<CancellationToken, IEnumerable<TWork>> list, Func<TWork, Batch> prepare, int ahead, CancellationToken stop)
        => (_list, _prepare, _stop, _slots) = (list, prepare, stop, new(ahead, ahead));

    /// <summary>Starts the threads.</summary>
    public void Start(int workers)
    {
        _working = _open = workers;
        for (var i = 0; i < workers; i++)
        {
            var thread = new Thread(Work) { IsBackground = true, Name = workers == 1 ? "nabla-loader" : $"nabla-loader-{i}" };
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>The next batch in order, which the caller owns; null after the last. Throws what its preparation threw.</summary>
    public Batch? Take(CancellationToken cancellationToken)
    {
        using var wake = cancellationToken.UnsafeRegister(static crew => ((LoaderCrew<TWork>)crew!).Wake(), this);
        lock (_results)
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_done.Remove(_taken, out var result))
                {
                    _taken++;
                    _slots.Release();
                    result.Error?.Throw();
                    return result.Batch;
                }
                if (_working == 0)
                {
                    return null;
                }
                Monitor.Wait(_results);
            }
        }
    }

    /// <summary>Waits for the threads, which the caller has told to stop, and frees what nobody took.</summary>
    public void Join()
    {
        _threads.ForEach(thread => thread.Join());
        foreach (var (batch, _) in _done.Values)
        {
            batch?.Dispose();
        }
        _done.Clear();
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>A thread's whole work; never throws, since nobody would catch it.</summary>
    private void Work()
    {
        try
        {
            var isReady = false;
            while (true)
            {
                _slots.Wait(_stop); // before the work is taken, so that no more batches than the bound exist
                if (!TryNext(ref isReady, out var number, out var work))
                {
                    return;
                }
                Deliver(number, Make(work));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The consumer has left.
        }
        finally
        {
            Leave();
        }
    }

    private bool TryNext(ref bool isReady, out long number, out TWork work)
    {
        lock (_work)
        {
            (number, work) = (_handedOut, default!);
            if (_isListed || _stop.IsCancellationRequested)
            {
                return false;
            }
            try
            {
                if (!isReady)
                {
                    NablaRuntime.UseOneThreadHere();
                    isReady = true;
                }
                _remaining ??= _list(_stop).GetEnumerator();
                if (_remaining.MoveNext())
                {
                    (work, _handedOut) = (_remaining.Current, _handedOut + 1);
                    return true;
                }
            }
#pragma warning disable CA1031 // whatever it is, the consumer rethrows it
            catch (Exception problem) when (problem is not OperationCanceledException || !_stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Deliver(_handedOut++, (null, ExceptionDispatchInfo.Capture(problem)));
            }
            _isListed = true;
            return false;
        }
    }

    private (Batch?, ExceptionDispatchInfo?) Make(TWork work)
    {
        try
        {
            return (_prepare(work), null);
        }
#pragma warning disable CA1031 // whatever it is, the consumer rethrows it
        catch (Exception problem) when (problem is not OperationCanceledException || !_stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            lock (_work)
            {
                _isListed = true; // nothing after the error is wanted
            }
            return (null, ExceptionDispatchInfo.Capture(problem));
        }
    }

    private void Deliver(long number, (Batch?, ExceptionDispatchInfo?) result)
    {
        lock (_results)
        {
            _done[number] = result;
            Monitor.PulseAll(_results);
        }
    }

    private void Wake()
    {
        lock (_results)
        {
            Monitor.PulseAll(_results);
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            CloseList();
        }
        lock (_results)
        {
            _working--;
            Monitor.PulseAll(_results);
        }
    }

    /// <summary>The last thread to leave closes the list, which may throw as all its code.</summary>
    private void CloseList()
    {
        try
        {
            _remaining?.Dispose();
        }
#pragma warning disable CA1031 // whatever it is, the consumer rethrows it
        catch (Exception problem)
#pragma warning restore CA1031
        {
            Deliver(_handedOut++, (null, ExceptionDispatchInfo.Capture(problem)));
        }
    }
}
