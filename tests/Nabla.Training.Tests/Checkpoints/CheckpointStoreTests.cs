using Microsoft.Extensions.Logging;

namespace Nabla.Training.Tests;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-checkpoints-");
    private readonly Warnings _warnings = new();

    public static TheoryData<string> Files => ["model.safetensors", "optimizer.safetensors", "ema.safetensors", "state.json", "manifest.json"];

    public void Dispose() => _root.Delete(recursive: true);

    [Fact, LeaksNoTensors]
    public void Save_ThenOpen_GivesStateAndTensors()
    {
        var store = Store();
        using var scope = NewDisposeScope();
        var content = Content(12) with { State = State(12) with { Metrics = new Dictionary<string, double> { ["validation/loss"] = 0.1 + 0.2, ["x/nan"] = double.NaN, ["x/infinite"] = double.NegativeInfinity } } };

        var folder = store.Save(content, keepLast: 2);

        var opened = store.Open(12);
        Assert.Equal(folder, opened.FullPath);
        Assert.Equal(content.State.Metrics, opened.State.Metrics);
        Assert.Equal(content.State with { Metrics = opened.State.Metrics, Schedule = opened.State.Schedule, Scaler = opened.State.Scaler, Callbacks = opened.State.Callbacks }, opened.State);
        Assert.Equal(content.Optimizer["w.step"].item<long>(), opened.ReadOptimizer()["w.step"].item<long>());
        Assert.Equal(content.Average!["w"].data<float>().ToArray(), opened.ReadAverage()!["w"].data<float>().ToArray());
        Assert.Equal((12L, 12L), (store.LastStep, store.BestStep));
        Assert.Equal(["checkpoints", "best", "last"], Directory.EnumerateFileSystemEntries(_root.FullName).Select(Path.GetFileName).OrderByDescending(name => name!.Length).ThenBy(name => name, StringComparer.Ordinal));
        Assert.Equal("checkpoints/12\n", File.ReadAllText(Path.Combine(_root.FullName, "last")));
    }

    [Fact]
    public void Save_ManyTimes_KeepsTheLastAndTheBest()
    {
        var store = Store();
        using var scope = NewDisposeScope();
        for (var step = 1; step <= 9; step++)
        {
            var best = new BestEvaluation("validation/loss", 1.0 / Math.Min(step, 4), Math.Min(step, 4));
            store.Save(Content(step) with { State = State(step) with { Best = best } }, keepLast: 2);
        }

        Assert.Equal([4, 8, 9], store.Steps);
        Assert.Equal((9L, 4L), (store.LastStep, store.BestStep));
        Assert.Equal(4, store.OpenBest().Step);
    }

    [Theory, MemberData(nameof(Files))]
    public void Open_AnyFlippedBit_IsRefusedNamingTheFile(string file)
    {
        SaveTwo();
        var path = Path.Combine(_root.FullName, "checkpoints", "2", file);
        var bytes = File.ReadAllBytes(path);
        var random = RandomStream.At(1, RandomPurpose.Other);
        foreach (var position in Enumerable.Range(0, Math.Min(bytes.Length, 300)).Select(_ => random.NextInt(0, bytes.Length)))
        {
            var damaged = (byte[])bytes.Clone();
            damaged[position] ^= (byte)(1 << random.NextInt(0, 8));
            File.WriteAllBytes(path, damaged);

            var error = Assert.Throws<CheckpointException>(() => Store().Open(2));

            Assert.Contains(file, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void OpenNewestGood_NewestDamaged_FallsBackWithWarning(string file)
    {
        SaveTwo();
        var path = Path.Combine(_root.FullName, "checkpoints", "2", file);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 0x20;
        File.WriteAllBytes(path, bytes);

        var checkpoint = Store().OpenNewestGood();

        Assert.Equal(1, checkpoint!.Step);
        Assert.Contains(file, Assert.Single(_warnings.Messages), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Files))]
    public void Open_FileMissingOrCutOff_IsRefusedNamingTheFile(string file)
    {
        SaveTwo();
        var path = Path.Combine(_root.FullName, "checkpoints", "2", file);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Assert.Contains(file, Assert.Throws<CheckpointException>(() => Store().Open(2)).Message, StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains(file, Assert.Throws<CheckpointException>(() => Store().Open(2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_DamagedTensor_IsNamed()
    {
        SaveTwo();
        var path = Path.Combine(_root.FullName, "checkpoints", "2", "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1; // the last tensor: by name, of one type
        File.WriteAllBytes(path, bytes);

        Assert.Contains("first damaged tensor: 'w'", Assert.Throws<CheckpointException>(() => Store().Open(2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FormatThatNoVersionHas_IsDamage()
    {
        SaveTwo();
        var path = Path.Combine(_root.FullName, "checkpoints", "2", "manifest.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"format\": 2", "\"format\": 6", StringComparison.Ordinal));

        Assert.Contains("got 6, which no version of Nabla has written", Assert.Throws<CheckpointException>(() => Store().Open(2)).Message, StringComparison.Ordinal);
        Assert.Equal(1, Store().OpenNewestGood()!.Step);
    }

    [Fact]
    public void OpenNewestGood_AllDamaged_Throws()
    {
        SaveTwo();
        foreach (var step in new[] { "1", "2" })
        {
            File.Delete(Path.Combine(_root.FullName, "checkpoints", step, "manifest.json"));
        }

        Assert.Contains("none of 2 checkpoints is whole", Assert.Throws<CheckpointException>(() => Store().OpenNewestGood()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenNewestGood_NoCheckpoint_IsNull() => Assert.Null(Store().OpenNewestGood());

    [Fact]
    public void Save_ProcessDiesAtAnyFileOperation_LeavesWholeCheckpointsOnly()
    {
        using var scope = NewDisposeScope();
        var operations = 0;
        for (var dieAt = 0; operations == dieAt; dieAt++)
        {
            var run = _root.CreateSubdirectory($"die-{dieAt}").FullName;
            new CheckpointStore(run, null, new UnsyncedFiles()).Save(Content(1), keepLast: 1);
            var files = new DyingFiles(dieAt);
            try
            {
                new CheckpointStore(run, null, files).Save(Content(2), keepLast: 1);
                break; // more operations than there are
            }
            catch (Killed)
            {
                operations = dieAt + 1;
            }

            var store = new CheckpointStore(run, _warnings, new UnsyncedFiles());
            var checkpoint = store.OpenNewestGood()!;
            Assert.InRange(checkpoint.Step, 1, 2);
            Assert.Empty(_warnings.Messages); // nothing half written under a final name
            Assert.Equal(store.BestStep, store.OpenBest().Step);
            store.CleanUp(checkpoint.Step);
            Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(run, "*", SearchOption.AllDirectories), entry => entry.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal));
            store.Save(Content(2), keepLast: 1);
            Assert.Equal([2], store.Steps);
            Assert.Equal(2, store.OpenNewestGood()!.Step);
        }
        Assert.True(operations > 10, $"Only {operations} file operations were tried.");
    }

    [Fact, LeaksNoTensors]
    public void Save_DiskFullAtAnyByte_ThrowsAndKeepsTheEarlierOnes()
    {
        using var scope = NewDisposeScope();
        Store().Save(Content(1), keepLast: 2);
        for (var room = 0; room < 4000; room += 97)
        {
            var store = new CheckpointStore(_root.FullName, null, new FullDisk(room));
            CheckpointException? error = null;
            try
            {
                store.Save(Content(2), keepLast: 2);
            }
            catch (CheckpointException full)
            {
                error = full;
            }
            if (error is null)
            {
                Assert.True(room > 1000);
                return;
            }
            Assert.Contains("Free disk space", error.Message, StringComparison.Ordinal);
            Assert.Equal([1], store.Steps);
            Assert.Equal(1, store.Open(1).Step);
            Assert.Equal([Path.Combine(_root.FullName, "checkpoints", "1")], Directory.EnumerateDirectories(Path.Combine(_root.FullName, "checkpoints")));
        }
        Assert.Fail("A checkpoint needs less than 4000 bytes here.");
    }

    [Fact]
    public void Probe_MoreThanTheDiskHas_IsFoundBefore()
    {
        var error = Assert.Throws<CheckpointException>(() => new CheckpointStore(_root.FullName).Probe(1L << 58));

        Assert.Contains("bytes free for two checkpoints", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(_root.FullName), file => file.Contains("probe", StringComparison.Ordinal));
    }

    [Fact]
    public void Probe_FolderThatCannotBeWritten_IsFoundBefore()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses /proc, which nobody may write.");
        Assert.Throws<CheckpointException>(() => new CheckpointStore("/proc/nabla").Probe(10));
    }

    private CheckpointStore Store() => new(_root.FullName, _warnings, new UnsyncedFiles());

    private void SaveTwo()
    {
        using var scope = NewDisposeScope();
        Store().Save(Content(1), keepLast: 2);
        Store().Save(Content(2), keepLast: 2);
    }

    private static CheckpointState State(long step) => new() { Step = step, Epoch = 1, BatchInEpoch = 3, Seed = 42, Seconds = 1.5, EpochLossSum = 0.1, EpochLossWeight = 3 };

    private static CheckpointContent Content(long step)
    {
        Dictionary<string, Tensor> model = new() { ["w"] = arange(6, ScalarType.Float32).reshape(2, 3) * (double)step, ["b"] = ones(3) };
        return new(State(step), model, new Dictionary<string, Tensor> { ["w.step"] = tensor(step) }, model);
    }

    private sealed class Killed : Exception;

    /// <summary>Dies at one file operation, in the middle of it if it writes; nothing works after that, as in a killed process.</summary>
    private sealed class DyingFiles(int dieAt) : UnsyncedFiles
    {
        private int _count;

        public override void Write(string path, Action<Stream> write)
        {
            if (_count == dieAt)
            {
                using var memory = new MemoryStream();
                write(memory);
                File.WriteAllBytes(path, memory.ToArray()[..(int)(memory.Length / 2)]);
            }
            Count();
            base.Write(path, write);
        }

        public override void WritePointer(string path, string text)
        {
            if (_count == dieAt)
            {
                File.WriteAllText(path + AtomicFile.TemporaryMark + "x", text[..2]);
            }
            Count();
            base.WritePointer(path, text);
        }

        public override void CreateFolder(string path)
        {
            Count();
            base.CreateFolder(path);
        }

        public override void RenameFolder(string from, string to)
        {
            Count();
            base.RenameFolder(from, to);
        }

        public override void DeleteFolder(string path)
        {
            if (_count == dieAt && Directory.EnumerateFiles(path).FirstOrDefault() is { } file)
            {
                File.Delete(file);
            }
            Count();
            base.DeleteFolder(path);
        }

        private void Count()
        {
            if (_count++ >= dieAt)
            {
                throw new Killed();
            }
        }
    }

    /// <summary>A disk with room for so many bytes.</summary>
    private sealed class FullDisk(long room) : UnsyncedFiles
    {
        private long _room = room;

        public override void Write(string path, Action<Stream> write) => base.Write(path, stream =>
        {
            using var memory = new MemoryStream();
            write(memory);
            var fits = (int)Math.Min(memory.Length, _room);
            stream.Write(memory.GetBuffer().AsSpan(0, fits));
            _room -= fits;
            if (fits < memory.Length)
            {
                throw new IOException($"No space left on device : '{path}'");
            }
        });
    }

    private sealed class Warnings : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning)
            {
                Messages.Add(formatter(state, exception));
            }
        }
    }
}
