using System.Diagnostics;

namespace Nabla.Training.Tests;

/// <summary>Checkpoints are written beside training, one at a time, and what goes wrong is heard on the training thread.</summary>
public sealed class CheckpointWriterTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 4, LogEverySteps = 2, Precision = "float32", Optimizer = new() { LearningRate = 0.05 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-writer-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact, LeaksNoTensors]
    public void Fit_SlowDisk_TrainsOnWhileACheckpointIsWritten_AndWritesWhatTheWeightsWereThen()
    {
        using var files = new HeldFiles();
        using var task = new TinyTask();
        using var data = new TinyData(); // 6 steps an epoch
        var folder = RunFolder.Create(_root.FullName, "slow");
        List<(long Step, string Thread)> saved = [];
        var weights = "";
        var callback = new Callback
        {
            OnStep = step =>
            {
                weights = step == 6 ? Weights.Sum(task.Module) : weights;
                if (step == 9)
                {
                    Assert.Empty(folder.OpenCheckpoints().Steps); // three steps later the disk is still at it
                    files.Release();
                }
            },
            OnSaved = step => saved.Add((step, Thread.CurrentThread.Name ?? "")),
        };

        Fit(Options with { Checkpoints = new() { KeepLast = 9 } }, files, task, data, folder, callback);

        Assert.Equal([6, 12, 18, 24], saved.Select(entry => entry.Step));
        Assert.All(saved, entry => Assert.NotEqual("Nabla checkpoints", entry.Thread));
        Assert.All(files.Threads, thread => Assert.Equal("Nabla checkpoints", thread));
        using var other = new TinyTask(seed: 5);
        folder.OpenCheckpoints().Open(6).LoadTrainedWeights(other.Module);
        Assert.Equal(weights, Weights.Sum(other.Module));
    }

    [Fact]
    public void Fit_NotInTheBackground_WritesTheSameFiles()
    {
        string[] sums = [.. new[] { true, false }.Select(background =>
        {
            using var task = new TinyTask();
            using var data = new TinyData();
            var folder = RunFolder.Create(_root.FullName, $"background-{background}");
            Fit(Options with { EmaDecay = 0.9, Checkpoints = new() { Background = background } }, new UnsyncedFiles(), task, data, folder);
            return string.Concat(Directory.EnumerateFiles(folder.OpenCheckpoints().PathOf(24), "*.safetensors").Order(StringComparer.Ordinal).Select(file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))));
        })];

        Assert.Equal(sums[0], sums[1]);
    }

    [Fact]
    public void Fit_SavesDueWhileOneIsWritten_WaitWhenDueBySteps()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "waits");
        List<long> saved = [];

        Fit(Options with { Checkpoints = new() { EverySteps = 1, KeepLast = 99 } }, new SlowFiles(5), task, data, folder, new Callback { OnSaved = saved.Add });

        Assert.Equal(Enumerable.Range(1, 24).Select(step => (long)step), saved);
        Assert.Equal(saved, folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fit_EveryMinutes_SavesByTheClockAndPutsOffWhatIsDueWhileOneIsWritten()
    {
        using var task = new TinyTask();
        using var data = new TinyData(800); // 100 steps an epoch
        var folder = RunFolder.Create(_root.FullName, "minutes");
        var clock = new SteppedClock();
        List<long> saved = [];
        var callback = new Callback { OnStep = step => clock.Now += TimeSpan.FromMinutes(1), OnSaved = saved.Add };

        new Trainer(Options with { Epochs = 1, Checkpoints = new() { EveryMinutes = 20, KeepLast = 99, Background = false } }, null, clock, new UnsyncedFiles()).Fit(task, data.Loader, null, new() { Folder = folder, Callbacks = [callback] });

        Assert.Equal([20, 40, 60, 80, 100], saved);
    }

    [Fact]
    public void Fit_KeepEvery_KeepsThoseForGood()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "keeps");

        Fit(Options with { Checkpoints = new() { EverySteps = 3, KeepLast = 1, KeepEvery = 9 } }, new UnsyncedFiles(), task, data, folder);

        Assert.Equal([9, 18, 24], folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fit_WriterFails_TrainingHearsAtTheNextStep()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var steps = 0L;

        Assert.Throws<CheckpointException>(() => Fit(Options, new FailsAlways(), task, data, RunFolder.Create(_root.FullName, "fails"), new Callback { OnStep = step =>
        {
            steps = step;
            Thread.Sleep(20);
        } }));

        Assert.InRange(steps, 6, 9);
    }

    /// <summary>Not a measure of speed, which docs/benchmarks.md has, but that a checkpoint holds training up for the copy alone.</summary>
    [Fact]
    public void Begin_LargeState_ReturnsLongBeforeTheDiskIsDone()
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> model = new() { ["w"] = zeros(1 << 22) }; // 16 MB
        using var writer = new CheckpointWriter(new(_root.FullName, null, new SlowFiles(300)), new(), (_, _) => { });

        var start = Stopwatch.GetTimestamp();
        writer.Begin(new(new() { Step = 1, Epoch = 0, BatchInEpoch = 1, Seed = 1 }, model, new Dictionary<string, Tensor>()), isBest: true, () => { });
        var began = Stopwatch.GetElapsedTime(start);
        Assert.True(writer.IsBusy);
        model["w"].fill_(1);
        Assert.NotNull(writer.Take(wait: true));

        Assert.True(Stopwatch.GetElapsedTime(start) > TimeSpan.FromMilliseconds(1200), "four files of 300 ms");
        Assert.True(began < TimeSpan.FromMilliseconds(600), $"{began}");
        Assert.Equal(0, Nabla.Core.SafeTensorsFile.Read(Path.Combine(_root.FullName, "checkpoints", "1", "model.safetensors"))["w"].sum().item<float>());
    }

    private static void Fit(TrainingOptions options, CheckpointFiles files, TinyTask task, TinyData data, RunFolder folder, Callback? callback = null)
        => new Trainer(options, null, null, files).Fit(task, data.Loader, null, new() { Folder = folder, Callbacks = callback is null ? [] : [callback] });

    private sealed class Callback : TrainingCallback
    {
        public Action<long>? OnStep { get; init; }

        public Action<long>? OnSaved { get; init; }

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            OnStep?.Invoke(step.Step);
            return Continuation.Continue;
        }

        public override void OnCheckpointSaved(CheckpointSaved checkpoint) => OnSaved?.Invoke(checkpoint.Step);
    }

    /// <summary>A disk that writes nothing until it is let go.</summary>
    private sealed class HeldFiles : UnsyncedFiles, IDisposable
    {
        private readonly ManualResetEventSlim _gate = new();

        public List<string> Threads { get; } = [];

        public void Release() => _gate.Set();

        public override void Write(string path, Action<Stream> write)
        {
            Threads.Add(Thread.CurrentThread.Name ?? "");
            Assert.True(_gate.Wait(TimeSpan.FromSeconds(60)));
            base.Write(path, write);
        }

        public void Dispose() => _gate.Dispose();
    }

    private sealed class SlowFiles(int milliseconds) : UnsyncedFiles
    {
        public override void Write(string path, Action<Stream> write)
        {
            Thread.Sleep(milliseconds);
            base.Write(path, write);
        }
    }

    private sealed class FailsAlways : UnsyncedFiles
    {
        public override void Write(string path, Action<Stream> write) => throw new IOException("No space left on device");
    }

    private sealed class SteppedClock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
