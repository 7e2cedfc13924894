using System.Globalization;

namespace Nabla.Training.Tests;

/// <summary>Faults 39 to 47 of docs/faults.md: checkpoints and disk.</summary>
public sealed class CheckpointFaultTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 3, LogEverySteps = 2, Precision = "float32", Optimizer = new() { LearningRate = 0.05 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-faults-");
    private readonly WarningList _warnings = new();

    public static TheoryData<string> Files => ["model.safetensors", "optimizer.safetensors", "ema.safetensors", "state.json", "manifest.json"];

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Fault39_KilledAtEachByteOfASave_LeavesThePreviousCheckpointAndALeftoverThatIsCleaned()
    {
        using var scope = NewDisposeScope();
        var store = new CheckpointStore(_root.FullName, _warnings, new UnsyncedFiles());
        store.Save(Content(1), keepLast: 2);
        var bytes = new DirectoryInfo(store.PathOf(1)).EnumerateFiles().Sum(file => file.Length);
        var kills = 0;
        for (var at = 0L; at <= bytes + 64; at += 7) // 7 is prime to all sizes: every kind of place is met
        {
            try
            {
                new CheckpointStore(_root.FullName, null, new DiesAtByte(at)).Save(Content(2), keepLast: 2);
                break;
            }
            catch (DiesAtByte.Killed)
            {
                kills++;
            }
            Assert.Equal([1], store.Steps);
            Assert.Equal(1, store.OpenNewestGood()!.Step);
            Assert.NotEmpty(Leftovers());
            store.CleanUp(1);
            Assert.Empty(Leftovers());
        }
        Assert.InRange(kills, bytes / 7, (bytes / 7) + 20);
        Assert.Empty(_warnings.Messages);
    }

    [Theory, InlineData(CheckpointErrorPolicy.Stop), InlineData(CheckpointErrorPolicy.Continue)]
    public void Fault40_DiskFullDuringASave_KeepsTheOlderOnes_AndStopsOrGoesOnAsToldTo(CheckpointErrorPolicy policy)
    {
        using var task = new TinyTask();
        using var data = new TinyData(); // 6 steps an epoch
        var folder = RunFolder.Create(_root.FullName, "full");
        var disk = new FullFrom(save: 2, saves: 1);
        var trainer = new Trainer(Options with { Checkpoints = new() { OnError = policy, KeepLast = 9 } }, _warnings, null, disk);

        if (policy == CheckpointErrorPolicy.Stop)
        {
            var error = Assert.Throws<CheckpointException>(() => trainer.Fit(task, data.Loader, null, new() { Folder = folder }));

            Assert.Contains("Free disk space", error.Message, StringComparison.Ordinal);
            Assert.Equal([6], folder.OpenCheckpoints().Steps);
            Assert.Equal((RunState.Failed, error.Message), (folder.ReadStatus().State, folder.ReadStatus().Error));
        }
        else
        {
            Assert.Equal(18, trainer.Fit(task, data.Loader, null, new() { Folder = folder }).Steps);

            Assert.Equal([6, 18], folder.OpenCheckpoints().Steps);
            var incident = Assert.Single(folder.ReadIncidents());
            Assert.Equal(("checkpoint-not-written", 12L), (incident.Kind, incident.Step));
            Assert.Contains(incident.Message, _warnings.Messages);
        }
        Assert.Empty(Leftovers());
        Assert.Equal(6, folder.OpenCheckpoints().Open(6).Step);
    }

    [Fact]
    public void Fault40_DiskStillFullAtTheEnd_IsAnErrorWhateverThePolicy()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "end");

        Assert.Throws<CheckpointException>(() => new Trainer(Options with { Checkpoints = new() { OnError = CheckpointErrorPolicy.Continue } }, _warnings, null, new FullFrom(save: 2, saves: 99)).Fit(task, data.Loader, null, new() { Folder = folder }));

        Assert.Equal([6], folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fault40_RealFullDisk_IsFoundBeforeTheStartOrKeepsTheOlderOnes()
    {
        using var disk = SmallDisk.TryMount(_root.CreateSubdirectory("disk").FullName, kilobytes: 256);
        Assert.SkipWhen(disk is null, "Mounting a small disk needs the right to mount.");
        using var task = new TinyTask(hidden: 64);
        using var data = new TinyData();
        var folder = RunFolder.Create(disk.Path, "real");

        // Room for some checkpoints, but not for the thirty that are to be kept.
        var error = Assert.Throws<CheckpointException>(() => new Trainer(Options with { Epochs = 40, Checkpoints = new() { KeepLast = 30 } }, _warnings).Fit(task, data.Loader, null, new() { Folder = folder }));

        Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
        Assert.True(folder.OpenCheckpoints().Steps.Count > 1);
        Assert.All(folder.OpenCheckpoints().Steps, step => Assert.Equal(step, folder.OpenCheckpoints().Open(step).Step));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public void Fault41_FolderThatCannotBeMadeOrWritten_IsFoundBeforeTheFirstBatch()
    {
        var file = Path.Combine(_root.FullName, "a-file");
        File.WriteAllText(file, "");
        Assert.Contains("Choose another place with --out", Assert.Throws<CheckpointException>(() => RunFolder.Create(file, "x")).Message, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
        {
            Assert.Contains("--out", Assert.Throws<CheckpointException>(() => RunFolder.Create("/proc/nabla", "x")).Message, StringComparison.Ordinal);
        }
        using var task = new TinyTask();
        using var data = new TinyData();
        var gone = RunFolder.Create(_root.FullName, "gone");
        Directory.Delete(gone.FullPath, recursive: true);

        Assert.Throws<CheckpointException>(() => new Trainer(Options).Fit(task, data.Loader, null, new() { Folder = gone }));

        Assert.Equal(0, task.TrainingBatches);
    }

    [Fact]
    public void Fault41_ReadOnlyDisk_IsFoundBeforeTheFirstBatch()
    {
        using var disk = SmallDisk.TryMount(_root.CreateSubdirectory("disk").FullName, kilobytes: 512);
        Assert.SkipWhen(disk is null, "Mounting a small disk needs the right to mount.");
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(disk.Path, "readonly");
        disk.MakeReadOnly();

        var error = Assert.Throws<CheckpointException>(() => new Trainer(Options).Fit(task, data.Loader, null, new() { Folder = folder }));

        Assert.Contains("--out", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, task.TrainingBatches);
    }

    [Theory, MemberData(nameof(Files))]
    public void Fault42_FlippedBitInAnyFileOfTheNewest_TakesThePreviousLoudlyAndEndsInTheSameBits(string file)
    {
        var expected = Train("whole", stopAt: null);
        Train("flipped", stopAt: 9);
        var folder = RunFolder.List(_root.FullName).Single(run => run.Name == "flipped");
        Assert.Equal([6, 9], folder.OpenCheckpoints().Steps);
        var path = Path.Combine(folder.FullPath, "checkpoints", "9", file);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 3] ^= 0x04;
        File.WriteAllBytes(path, bytes);

        var actual = Train("flipped", stopAt: null, folder);

        Assert.Equal(expected, actual);
        Assert.Contains(_warnings.Messages, message => message.StartsWith("DAMAGED: checkpoint 9", StringComparison.Ordinal) && message.Contains(file, StringComparison.Ordinal));
        var incident = Assert.Single(folder.ReadIncidents());
        Assert.Equal(("damaged-checkpoint", 9L), (incident.Kind, incident.Step));
    }

    [Fact]
    public void Fault43_CheckpointOfANewerNabla_IsRefusedWithItsVersionAndNothingIsPutInItsPlace()
    {
        Train("newer", stopAt: 9);
        var folder = RunFolder.List(_root.FullName).Single();
        var path = Path.Combine(folder.FullPath, "checkpoints", "9", "manifest.json");
        var text = File.ReadAllText(path);
        File.WriteAllText(path, System.Text.RegularExpressions.Regex.Replace(text, "\"written_by\": \"[^\"]*\"", "\"written_by\": \"7.1.0\"").Replace("\"format\": 2", "\"format\": 3", StringComparison.Ordinal));

        var error = Assert.Throws<CheckpointException>(() => Train("newer", stopAt: null, folder));

        Assert.Contains("newer version of Nabla, 7.1.0", error.Message, StringComparison.Ordinal);
        Assert.Contains("Update Nabla", error.Message, StringComparison.Ordinal);
        Assert.Equal([6, 9], folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fault43_CheckpointOfTheOlderFormat_GoesOnToTheSameBits()
    {
        // Written by the first version of Nabla: steps 47 and 48 of 48 of the training that KillTests has.
        var source = Path.Combine(Repository.Root, "tests", "Nabla.Training.Tests", "Checkpoints", "format-1");
        var folder = RunFolder.Create(_root.FullName, "older");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder.FullPath, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
        using var expected = new TinyTask();
        folder.OpenCheckpoints().Open(48).LoadTrainedWeights(expected.Module);
        var sum = Weights.Sum(expected.Module);
        Directory.Delete(Path.Combine(folder.FullPath, "checkpoints", "48"), recursive: true);

        Assert.Equal("weights " + sum, KillTests.Train(folder, pause: 0));

        Assert.Equal([47, 48], folder.OpenCheckpoints().Steps);
        Assert.Equal(2, folder.OpenCheckpoints().Open(48).State.Format);
    }

    [Fact]
    public void Fault44_CheckpointOfSeveralProcesses_IsRefusedByItsNumber()
    {
        Train("world", stopAt: 9);
        var folder = RunFolder.List(_root.FullName).Single();
        var store = folder.OpenCheckpoints();
        using (NewDisposeScope())
        {
            var opened = store.Open(9);
            store.Save(new(opened.State with { Processes = 4 }, Nabla.Core.SafeTensorsFile.Read(Path.Combine(opened.FullPath, "model.safetensors")), opened.ReadOptimizer(), opened.ReadAverage()), keepLast: 2);
        }

        var error = Assert.Throws<CheckpointException>(() => Train("world", stopAt: null, folder));

        Assert.Contains("4 processes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fault45_RenamedMissingAndExtraParameters_AreListedAndAMapSettlesThem()
    {
        using var scope = NewDisposeScope();
        using var task = new TinyTask();
        var expected = Weights.Sum(task.Module);
        var saved = ModuleState.Collect(task.Module).ToDictionary(entry => entry.Key.Replace("first.", "input.", StringComparison.Ordinal), entry => entry.Value.clone(), StringComparer.Ordinal);
        saved["gate.scale"] = ones(2);
        saved.Remove("second.bias", out var bias);
        using var other = new TinyTask(seed: 9);

        var error = Assert.Throws<CheckpointException>(() => ModuleState.Load(other.Module, saved, "a.safetensors"));

        Assert.Contains("6 differences", error.Message, StringComparison.Ordinal);
        foreach (var part in new[] { "'second.bias' is missing", "'first.weight' is missing", "'input.weight' is not part of the model", "'gate.scale' is not part of the model", "input.weight=first.weight" })
        {
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
        saved.Remove("gate.scale");
        saved["second.bias"] = bias!;
        ModuleState.Load(other.Module, ParameterMap.Parse(["input.*=first.*"]).Apply(saved, "a.safetensors"), "a.safetensors");
        Assert.Equal(expected, Weights.Sum(other.Module));
        Assert.Contains("Did you mean 'input.bias'", Assert.Throws<CheckpointException>(() => ParameterMap.Parse(["inptu.bias=x"]).Apply(saved, "a")).Message, StringComparison.Ordinal);
        Assert.Equal(2, Assert.Throws<OptionsException>(() => ParameterMap.Parse(["a", "b.*=c", "d=e"])).Problems.Count);
    }

    [Fact]
    public void Fault45_RunResumedWithAMap_GoesOnToTheSameBits()
    {
        var expected = Train("whole", stopAt: null);
        Train("renamed", stopAt: 9);
        var folder = RunFolder.List(_root.FullName).Single(run => run.Name == "renamed");
        var store = folder.OpenCheckpoints();
        using (NewDisposeScope())
        {
            var opened = store.Open(9);
            Dictionary<string, Tensor> Renamed(IReadOnlyDictionary<string, Tensor> tensors) => tensors.ToDictionary(entry => entry.Key.Replace("second.", "head.out.", StringComparison.Ordinal), entry => entry.Value, StringComparer.Ordinal);
            store.Save(new(opened.State, Renamed(Nabla.Core.SafeTensorsFile.Read(Path.Combine(opened.FullPath, "model.safetensors"))), Renamed(opened.ReadOptimizer()), Renamed(opened.ReadAverage()!)), keepLast: 2);
        }

        Assert.Contains("--map", Assert.Throws<CheckpointException>(() => Train("renamed", stopAt: null, folder)).Message, StringComparison.Ordinal);
        Assert.Equal(expected, Train("renamed", stopAt: null, folder, ParameterMap.Parse(["head.out.*=second.*"])));
    }

    [Fact]
    public void Fault46_SecondTrainingInTheSameFolder_IsRefused()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "locked");
        using var held = folder.Lock();

        Assert.Contains("only process", Assert.Throws<CheckpointException>(() => new Trainer(Options).Fit(task, data.Loader, null, new() { Folder = folder })).Message, StringComparison.Ordinal);
        Assert.Equal(0, task.TrainingBatches);
    }

    [Fact]
    public void Fault47_ClockThatJumpsBack_ChangesNoOrderAndNoBits()
    {
        var expected = Train("steady", stopAt: null);
        Train("jumps", stopAt: 9, time: new JumpingClock(DateTimeOffset.Parse("2030-01-01", CultureInfo.InvariantCulture)));
        var folder = RunFolder.List(_root.FullName).Single(run => run.Name == "jumps");
        foreach (var old in Directory.EnumerateFiles(Path.Combine(folder.FullPath, "checkpoints", "9")))
        {
            File.SetLastWriteTimeUtc(old, new(1999, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        Assert.Equal(9, folder.OpenCheckpoints().OpenNewestGood()!.Step);
        Assert.Equal(expected, Train("jumps", stopAt: null, folder, time: new JumpingClock(DateTimeOffset.Parse("2020-01-01", CultureInfo.InvariantCulture))));
        Assert.Equal([.. folder.ReadMetrics().Select(row => row.Step).Order()], folder.ReadMetrics().Select(row => row.Step));
    }

    [Theory, InlineData(2, true), InlineData(3, false)]
    public void Fault47_StaleFileHandle_IsTriedAgainThenFails(int failures, bool succeeds)
    {
        using var scope = NewDisposeScope();
        var files = new StaleHandles(failures);
        var store = new CheckpointStore(_root.FullName, _warnings, files);

        if (succeeds)
        {
            store.Save(Content(1), keepLast: 1);
            Assert.Equal(1, store.OpenNewestGood()!.Step);
        }
        else
        {
            Assert.Contains("Stale file handle", Assert.Throws<CheckpointException>(() => store.Save(Content(1), keepLast: 1)).Message, StringComparison.Ordinal);
        }
        Assert.Equal(2, files.Pauses);
        Assert.Equal(2, _warnings.Messages.Count(message => message.Contains("Trying again", StringComparison.Ordinal)));
        Assert.Empty(Leftovers());
    }

    private IEnumerable<string> Leftovers() => Directory.EnumerateFileSystemEntries(_root.FullName, "*" + AtomicFile.TemporaryMark + "*", SearchOption.AllDirectories);

    private string Train(string name, long? stopAt, RunFolder? folder = null, ParameterMap? map = null, TimeProvider? time = null)
    {
        var resume = folder is not null;
        folder ??= RunFolder.Create(_root.FullName, name);
        using var task = new TinyTask(seed: resume ? 70 : 1);
        using var data = new TinyData(); // 6 steps an epoch
        using var stop = new CancellationTokenSource();
        var options = Options with { EmaDecay = 0.9, Checkpoints = new() { KeepLast = 2 } };
        new Trainer(options, _warnings, time, new UnsyncedFiles()).Fit(task, data.Loader, null, new() { Folder = folder, Seed = 7, Resume = resume, ParameterMap = map, Callbacks = [new StopAfter(stopAt, stop)] }, stop.Token);
        return Weights.Sum(task.Module);
    }

    private static CheckpointContent Content(long step)
    {
        Dictionary<string, Tensor> model = new() { ["w"] = arange(6, ScalarType.Float32).reshape(2, 3) * (double)step, ["b"] = ones(3) };
        return new(new() { Step = step, Epoch = 1, BatchInEpoch = 3, Seed = 42 }, model, new Dictionary<string, Tensor> { ["w.step"] = tensor(step) }, model);
    }

    private sealed class StopAfter(long? step, CancellationTokenSource stop) : TrainingCallback
    {
        public override Continuation OnStepCompleted(StepCompleted completed)
        {
            if (completed.Step == step)
            {
                stop.Cancel();
            }
            return Continuation.Continue;
        }
    }

    /// <summary>Each look at it is an hour before the last.</summary>
    private sealed class JumpingClock(DateTimeOffset start) : TimeProvider
    {
        private int _looks;

        public override DateTimeOffset GetUtcNow() => start.AddHours(-Interlocked.Increment(ref _looks));
    }

    /// <summary>Refuses some saves as a full disk does.</summary>
    private sealed class FullFrom(int save, int saves) : UnsyncedFiles
    {
        private int _save;

        public override void CreateFolder(string path)
        {
            _save += path.Contains("write" + AtomicFile.TemporaryMark, StringComparison.Ordinal) ? 1 : 0;
            base.CreateFolder(path);
        }

        public override void Write(string path, Action<Stream> write) => base.Write(path, stream =>
        {
            write(stream);
            if (_save >= save && _save < save + saves)
            {
                throw new IOException($"No space left on device : '{path}'");
            }
        });
    }

    /// <summary>A network file system that has forgotten a handle, some times.</summary>
    private sealed class StaleHandles(int failures) : UnsyncedFiles
    {
        private int _left = failures;

        public int Pauses { get; private set; }

        public override void Write(string path, Action<Stream> write)
        {
            if (_left-- > 0)
            {
                throw new IOException("Stale file handle", TransientErrors.Stale);
            }
            base.Write(path, write);
        }

        public override void Pause(TimeSpan time) => Pauses++;
    }
}
