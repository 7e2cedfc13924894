using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Nabla.Training;

namespace Nabla.Cli.Tests;

/// <summary>The program as a process that is signalled and killed while it trains.</summary>
internal sealed partial class TrainingProcess : IDisposable
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task _reading;
    private readonly List<string> _errors = [];

    private TrainingProcess(Process process)
    {
        _process = process;
        _process.StandardInput.Close();
        _output = process.StandardOutput.ReadToEndAsync();
        _reading = Task.Run(async () =>
        {
            while (await process.StandardError.ReadLineAsync() is { } line)
            {
                lock (_errors)
                {
                    _errors.Add(line);
                }
            }
        });
    }

    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return string.Join('\n', _errors);
            }
        }
    }

    /// <summary>Starts a command line. SIGINT is given its usual meaning: shells without a terminal let their children ignore it.</summary>
    public static TrainingProcess Start(params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends signals of Linux.");
        return new(Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "Nabla.Cli.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!);
    }

    /// <summary>Arguments of a training on few shapes that lasts until it is ended, or for some epochs.</summary>
    public static string[] Shapes(string folder, int epochs = 10_000, params string[] more) =>
    [
        "train", "shapes", "--json", "--out", folder, "--set", $"training.epochs={epochs}", "--set", "data.shapes={train: 256, test: 64}", "--set", "training.precision=float32", "--set", "training.threads=1", .. more,
    ];

    public Task WaitForLineAsync(string part) => WaitForAsync(() => Errors.Contains(part, StringComparison.Ordinal), $"a line with '{part}'");

    public async Task WaitForAsync(Func<bool> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.False(_process.HasExited && !condition(), $"The process ended with {(_process.HasExited ? _process.ExitCode : 0)} before {what}:\n{Errors}");
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Waited too long for {what}:\n{Errors}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public void Signal(int signal) => Signal(_process.Id, signal);

    public static void Signal(int process, int signal) => Assert.Equal(0, SendSignal(process, signal));

    public async Task<CommandLineOutcome> EndAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        await _reading;
        return new(_process.ExitCode, await _output, Errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
        _process.Dispose();
    }

    /// <summary>The one run in a folder of runs, or null while there is none.</summary>
    public static RunFolder? RunIn(string folder) => RunFolder.List(folder).SingleOrDefault();

    /// <summary>The process that trains a run now, or null.</summary>
    public static int? TrainerOf(RunFolder? run)
    {
        if (run is null || !File.Exists(Path.Combine(run.FullPath, "status.json")))
        {
            return null;
        }
        using var status = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.FullPath, "status.json")));
        var process = status.RootElement.GetProperty("process_id").GetInt32();
        return process > 0 && RunLock.IsHeld(run.FullPath) && Directory.Exists($"/proc/{process}") ? process : null;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
