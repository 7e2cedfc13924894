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

        Assert.Throws<CheckpointException>(() => Fit(Options, new FailsAlways(), task, data, RunFolder.Create(_root.FullName, "fails"), new Callback
        {
            OnStep = step =>
            {
                steps = step;
                Thread.Sleep(20); // the failing write lies on another thread and must end while steps go on
            },
        }));

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

    /// <summary>What one checkpoint a minute costs at the size of W6 (10.8 million parameters, AdamW, average): docs/benchmarks.md has the figures.</summary>
    [Fact, Trait("Needs", "Minutes")]
    public void Take_StateOfTenMillionParameters_IsFarBelowAHundredthOfAMinute()
    {
        using var scope = NewDisposeScope();
        long[][] shapes = [.. Enumerable.Range(0, 6).SelectMany(_ => new long[][] { [1152, 384], [384, 384], [1536, 384], [384, 1536], [384], [384] }), [65, 384], [256, 384]];
        Dictionary<string, Tensor> Tensors(int copies) => Enumerable.Range(0, copies).SelectMany(copy => shapes.Select((shape, i) => (Key: $"{i}.{copy}", Value: rand(shape)))).ToDictionary(pair => pair.Key, pair => pair.Value);
        var content = new CheckpointContent(new() { Step = 1, Epoch = 0, BatchInEpoch = 1, Seed = 1 }, Tensors(1), Tensors(2), Tensors(1));
        var store = new CheckpointStore(_root.FullName);
        using var snapshot = new CheckpointSnapshot();
        snapshot.Take(content);

        double[] copies = [.. Enumerable.Range(0, 7).Select(_ => Milliseconds(() => snapshot.Take(content))).Order()];
        double[] saves = [.. Enumerable.Range(0, 5).Select(_ => Milliseconds(() => store.Save(content, keepLast: 1))).Order()];

        var text = FormattableString.Invariant($"copy {copies[3]:F0} ms ({copies[0]:F0} to {copies[^1]:F0}), write {saves[2]:F0} ms ({saves[0]:F0} to {saves[^1]:F0}), {content.Model.Values.Sum(tensor => tensor.NumberOfElements) / 1e6:F1} million parameters");
        TestContext.Current.SendDiagnosticMessage(text);
        TestContext.Current.TestOutputHelper!.WriteLine(text);
        Assert.True(copies[3] < 600, text);

        static double Milliseconds(Action action)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
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
