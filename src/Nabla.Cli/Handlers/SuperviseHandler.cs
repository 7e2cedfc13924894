using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Nabla.Core;
using Nabla.Training;

namespace Nabla.Cli;

/// <summary>Trains in a process of its own and starts it again after a crash, from its last good checkpoint.</summary>
internal sealed class SuperviseHandler : IDisposable
{
    private readonly TrainRequest _request;
    private readonly CommandOutput _output;
    private readonly RestartPolicy _policy;
    private readonly string _folderFile = Path.Combine(Path.GetTempPath(), $"nabla-run-{Guid.NewGuid():N}");
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private TrainerProcess? _trainer;
    private string? _asked;

    private SuperviseHandler(TrainRequest request, CommandOutput output)
    {
        (_request, _output, _policy) = (request, output, new(request.MaxRestarts));
        Listen(PosixSignal.SIGINT, Supervision.Interrupt);
        Listen(PosixSignal.SIGTERM, Supervision.Terminate);
        Listen(PosixSignal.SIGHUP, Supervision.Terminate);
    }

    /// <summary>Runs the trainer until it ends or nothing is gained by another start.</summary>
    /// <exception cref="TrainingException">It crashed too often.</exception>
    public static async Task<VerbResult> RunAsync(TrainRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        using var handler = new SuperviseHandler(request, output);
        return await handler.RunAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
        File.Delete(_folderFile);
    }

    private async Task<VerbResult> RunAsync()
    {
        var resume = _request.Resume is { } run ? new RunStore(_request.OutputFolder).Find(run) : null;
        var first = resume is null ? null : RunFolder.Open(resume).OpenCheckpoints().LastStep;
        for (var folder = resume; ;)
        {
            var (code, id) = await TrainAsync(folder, isMapped: folder is null || LastStep(folder) == first).ConfigureAwait(false);
            folder ??= File.Exists(_folderFile) ? await File.ReadAllTextAsync(_folderFile).ConfigureAwait(false) : null;
            if (_asked is not null && RestartPolicy.IsCrash(code))
            {
                throw new TrainingException($"nabla train --supervise: {RestartPolicy.Describe(code)} after it was asked to end. {Remedy(folder)}");
            }
            var exit = new TrainerExit(code, LastStep(folder), FailedStep(folder, id));
            var decision = _policy.Decide(exit);
            if (!decision.Restarts)
            {
                return RestartPolicy.IsCrash(code)
                    ? throw new TrainingException($"nabla train --supervise: the trainer is not started again: {RestartPolicy.Describe(code)}, and {decision.Reason}. {Remedy(folder)}")
                    : End(code, decision);
            }
            Note(folder, exit, decision);
            if (await Task.WhenAny(_stop.Task, Task.Delay(decision.Delay)).ConfigureAwait(false) == _stop.Task)
            {
                return new(new JsonObject { ["run"] = folder, ["stop_reason"] = "interrupted" }, _asked == Supervision.Interrupt ? ExitCode.Cancelled : ExitCode.Done);
            }
        }
    }

    private async Task<(int Code, int Id)> TrainAsync(string? folder, bool isMapped)
    {
        using var trainer = TrainerProcess.Start(Arguments(folder, isMapped), _folderFile);
        lock (_lock)
        {
            _trainer = trainer;
            if (_asked is not null) // asked between two trainers
            {
                trainer.Send(_asked);
            }
        }
        var code = await trainer.WaitAsync().ConfigureAwait(false);
        lock (_lock)
        {
            _trainer = null;
        }
        return (code, trainer.Id);
    }

    private List<string> Arguments(string? folder, bool isMapped)
    {
        List<string> arguments = ["train"];
        if (folder is null)
        {
            arguments.Add(_request.Recipe!);
            arguments.AddRange(_request.Overrides.SelectMany(pair => new[] { "--set", pair }));
        }
        else
        {
            arguments.AddRange(["--resume", folder]);
        }
        if (_request.OutputFolder is { } output)
        {
            arguments.AddRange(["--out", output]);
        }
        arguments.AddRange(["--device", _request.Device]);
        if (isMapped)
        {
            arguments.AddRange(_request.Map.SelectMany(rule => new[] { "--map", rule }));
        }
        if (_output.Json)
        {
            arguments.Add("--json");
        }
        return arguments;
    }

    private void Listen(PosixSignal signal, string request) => _signals.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true; // this process ends when the trainer has
        lock (_lock)
        {
            _asked ??= request;
            _trainer?.Send(request);
        }
        _stop.TrySetResult();
    }));

    private VerbResult End(int code, RestartDecision decision)
    {
        if (code == ExitCode.Failed && _policy.Restarts > 0)
        {
            _output.Error.WriteLine($"nabla: the trainer is not started again: {decision.Reason}.");
        }
        return new(null, code); // the trainer has written its own result
    }

    private void Note(string? folder, TrainerExit exit, RestartDecision decision)
    {
        var from = exit.CheckpointStep is { } step ? $"from the checkpoint of step {step}" : "from the start, as there is no checkpoint yet";
        var message = $"The trainer is started again, {from}: {decision.Reason}. Restart {_policy.Restarts} of at most {_request.MaxRestarts}, after {decision.Delay.TotalSeconds:F0} s.";
        _output.Error.WriteLine($"nabla: {message}");
        try
        {
            if (folder is not null)
            {
                RunFolder.Open(folder).AppendIncident(new(TimeProvider.System.GetUtcNow(), "restart", exit.CheckpointStep, message));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NablaException)
        {
            _output.Error.WriteLine($"nabla: the restart could not be noted in {folder}: {error.Message}");
        }
    }

    private static long? LastStep(string? folder) => folder is null ? null : RunFolder.Open(folder).OpenCheckpoints().LastStep;

    private static long? FailedStep(string? folder, int process)
        => folder is not null && RunFolder.Open(folder).ReadStatus() is { State: RunState.Failed } status && status.ProcessId == process ? status.Step : null;

    private static string Remedy(string? folder) => folder is null
        ? "No run folder was made; look at the messages above."
        : $"The checkpoints are whole; go on with: nabla train --resume {folder}";
}
