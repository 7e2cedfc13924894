using System.Collections.Concurrent;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Writes the checkpoints of a training run beside it: the training thread only copies tensors, a thread of its own hashes, writes and renames.
/// At most one is being written. What went wrong there is thrown on the training thread, when it asks. Used by the training thread only.
/// </summary>
internal sealed class CheckpointWriter : IDisposable
{
    private readonly CheckpointStore _store;
    private readonly CheckpointOptions _options;
    private readonly Action<long, string> _failed;
    private readonly CheckpointSnapshot _snapshot = new();
    private readonly BlockingCollection<Task<string>> _queue = [];
    private Thread? _thread;
    private (Task<string> Task, long Step, bool IsBest)? _inFlight;

    /// <summary>Creates the writer of a store.</summary>
    /// <param name="store">Where to; nobody else writes to it meanwhile.</param>
    /// <param name="options">Retention, and what follows an error.</param>
    /// <param name="failed">Hears of a checkpoint that could not be written and is gone without: its step and the reason.</param>
    public CheckpointWriter(CheckpointStore store, CheckpointOptions options, Action<long, string> failed) => (_store, _options, _failed) = (store, options, failed);

    /// <summary>Whether one is being written now.</summary>
    public bool IsBusy => _inFlight is { Task.IsCompleted: false };

    /// <summary>Begins to write a checkpoint, after the one before. The content may change as soon as this returns.</summary>
    /// <param name="content">What to write.</param>
    /// <param name="isBest">Whether it is the best so far.</param>
    /// <param name="before">Done first, by the thread that writes.</param>
    /// <exception cref="InvalidOperationException">The outcome of the one before was not taken.</exception>
    public void Begin(CheckpointContent content, bool isBest, Action before)
    {
        if (_inFlight is not null)
        {
            throw new InvalidOperationException("The outcome of the checkpoint before must be taken first.");
        }
        // A task in either case: an error is then handled in one place, whatever the thread.
        var kept = _options.Background ? _snapshot.Take(content) : content;
        var task = new Task<string>(() => Write(kept, before));
        _inFlight = (task, content.State.Step, isBest);
        if (!_options.Background)
        {
            task.RunSynchronously(TaskScheduler.Default);
            return;
        }
        if (_thread is null)
        {
            _thread = new Thread(Work) { IsBackground = true, Name = "Nabla checkpoints" };
            _thread.Start();
        }
        _queue.Add(task);
    }

    /// <summary>The outcome of the checkpoint that has been written since the last call.</summary>
    /// <param name="wait">Whether to wait for one that is being written.</param>
    /// <param name="mustSucceed">Whether an error is thrown whatever the policy.</param>
    /// <returns>The checkpoint, or null: there is none, it is not done, or it failed and training goes on.</returns>
    /// <exception cref="CheckpointException">It could not be written, and the policy is to stop.</exception>
    public CheckpointSaved? Take(bool wait, bool mustSucceed = false)
    {
        if (_inFlight is not var (task, step, isBest) || (!wait && !task.IsCompleted))
        {
            return null;
        }
        try
        {
            var folder = task.GetAwaiter().GetResult();
            return new(step, folder, isBest);
        }
        catch (CheckpointException error) when (_options.OnError == CheckpointErrorPolicy.Continue && !mustSucceed)
        {
            _failed(step, error.Message);
            return null;
        }
        finally
        {
            _inFlight = null;
        }
    }

    /// <summary>Waits for one that is being written, when training ends by another error: that one is what must be heard.</summary>
    public void Drain()
    {
        if (_inFlight is var (task, step, _))
        {
            _inFlight = null;
            task.ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
            if (task.Exception?.InnerException is { } error)
            {
                _failed(step, error.Message);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Drain();
        _queue.CompleteAdding();
        _thread?.Join();
        _queue.Dispose();
        _snapshot.Dispose();
    }

    // One thread for all: each has memory of the native allocator of its own.
    private void Work()
    {
        NablaRuntime.UseOneThreadHere();
        foreach (var task in _queue.GetConsumingEnumerable())
        {
            task.RunSynchronously(TaskScheduler.Default);
        }
    }

    private string Write(CheckpointContent content, Action before)
    {
        try
        {
            before();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{_store.PathOf(content.State.Step)}: expected to flush the metrics before the checkpoint, got an error: {error.Message} Free disk space or make the folder writable, then resume; the earlier checkpoints are whole.", error);
        }
        return _store.Save(content, _options.KeepLast, _options.KeepEvery);
    }
}
