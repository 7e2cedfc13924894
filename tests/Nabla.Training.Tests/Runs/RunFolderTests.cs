namespace Nabla.Training.Tests;

public sealed class RunFolderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-runs-");

    [Fact]
    public void DiscardUnlessBegun_WhileAnotherThreadWrites_LeavesNothing()
    {
        for (var round = 0; round < 30; round++)
        {
            string? path = null;
            var folder = RunFolder.Create(_root.FullName, "left", chosen: chosen => path = chosen);
            Assert.Equal(folder.FullPath, path);
            using var begun = new ManualResetEventSlim();
            var writer = Task.Run(() =>
            {
                for (var i = 0; ; i++)
                {
                    AtomicFile.WriteText(Path.Combine(folder.FullPath, $"{i % 5}.txt"), "what comes before the first step");
                    begun.Set();
                }
            });
            begun.Wait(TestContext.Current.CancellationToken);
            RunFolder.DiscardUnlessBegun(path!);
            Assert.ThrowsAny<IOException>(() => writer.GetAwaiter().GetResult());
            Assert.Empty(Directory.GetFileSystemEntries(_root.FullName));
        }
    }

    [Fact]
    public void DiscardUnlessBegun_OfWhatIsNoUnbegunRun_LeavesIt()
    {
        var mine = _root.CreateSubdirectory("mine");
        File.WriteAllText(Path.Combine(mine.FullName, "thesis.txt"), "mine");
        var run = RunFolder.Create(_root.FullName, "begun");
        run.WriteStatus(new() { State = RunState.Completed, UpdatedAt = DateTimeOffset.UnixEpoch });
        RunFolder.DiscardUnlessBegun(mine.FullName);
        RunFolder.DiscardUnlessBegun(run.FullPath);
        RunFolder.DiscardUnlessBegun(Path.Combine(_root.FullName, "nothing"));
        Assert.True(File.Exists(Path.Combine(mine.FullName, "thesis.txt")));
        Assert.True(RunFolder.IsRun(run.FullPath));
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Create_GivesNameTimeAndShortId()
    {
        var folder = RunFolder.Create(_root.FullName, "shapes", new FixedTime(new(2026, 3, 1, 12, 0, 5, TimeSpan.Zero)));

        Assert.Matches("^2026-03-01T12-00-05Z-[0-9a-f]{6}$", folder.Id);
        Assert.Equal("shapes", folder.Name);
        Assert.Equal(RunState.Created, folder.ReadStatus().State);
        Assert.Equal(folder.FullPath, RunFolder.Open(folder.FullPath + "/").FullPath);
    }

    [Theory, InlineData("a/b"), InlineData(".."), InlineData("a b"), InlineData("")]
    public void Create_NameThatIsNoFolderName_Throws(string name) => Assert.ThrowsAny<ArgumentException>(() => RunFolder.Create(_root.FullName, name));

    [Fact]
    public void Create_PlaceThatCannotBeWritten_Throws()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses /proc, which nobody may write.");
        Assert.Contains("--out", Assert.Throws<CheckpointException>(() => RunFolder.Create("/proc/nabla", "x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void List_GivesRunsOldestFirst()
    {
        var later = RunFolder.Create(_root.FullName, "a", new FixedTime(new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero)));
        var earlier = RunFolder.Create(_root.FullName, "b", new FixedTime(new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)));
        _root.CreateSubdirectory("b/not-a-run");

        Assert.Equal([earlier.FullPath, later.FullPath], RunFolder.List(_root.FullName).Select(run => run.FullPath));
        Assert.Empty(RunFolder.List(Path.Combine(_root.FullName, "none")));
    }

    [Fact]
    public void Open_NoRun_SaysWhatIsThere()
    {
        Assert.Contains("nothing at this path", Assert.Throws<CheckpointException>(() => RunFolder.Open(Path.Combine(_root.FullName, "none"))).Message, StringComparison.Ordinal);
        Assert.Contains("without status.json", Assert.Throws<CheckpointException>(() => RunFolder.Open(_root.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadStatus_RunningWithoutAProcess_IsCrashed()
    {
        var folder = RunFolder.Create(_root.FullName, "x");
        folder.WriteStatus(new() { State = RunState.Running, Step = 3, Metrics = new Dictionary<string, double> { ["a/b"] = double.NaN } });

        using (folder.Lock())
        {
            Assert.Equal(RunState.Running, folder.ReadStatus().State);
            Assert.Throws<CheckpointException>(folder.Lock);
        }
        Assert.Equal((RunState.Crashed, 3), (folder.ReadStatus().State, folder.ReadStatus().Step));
        Assert.True(double.IsNaN(folder.ReadStatus().Metrics["a/b"]));
        folder.Lock().Dispose();
    }

    [Fact]
    public void ReadStatus_Damaged_Throws()
    {
        var folder = RunFolder.Create(_root.FullName, "x");
        File.WriteAllText(Path.Combine(folder.FullPath, "status.json"), "{\"state\": \"runn");

        Assert.Contains("status.json", Assert.Throws<CheckpointException>(folder.ReadStatus).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_Captured_IsWrittenAndRead()
    {
        var folder = RunFolder.Create(_root.FullName, "x");
        var captured = RunEnvironment.Capture(CPU, 42, new Dictionary<string, string> { ["shapes"] = "abc" });

        folder.WriteEnvironment(captured);

        var read = folder.ReadEnvironment();
        Assert.Equal(captured with { DataHashes = read.DataHashes, Files = read.Files }, read);
        Assert.Equal("abc", read.DataHashes["shapes"]);
        Assert.Equal("cpu", read.Device);
        Assert.All([read.Nabla, read.Runtime, read.TorchSharp, read.LibTorch, read.OperatingSystem, read.Architecture], text => Assert.NotEmpty(text));
        Assert.Equal(1, read.Threads);
    }

    [Fact]
    public void Metrics_ReopenedAfterAStep_LosesLaterRowsAndHalfLines()
    {
        var path = Path.Combine(_root.FullName, "metrics.jsonl");
        var time = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        using (var log = MetricsLog.OpenAfter(path, 0))
        {
            for (var step = 1; step <= 5; step++)
            {
                log.Append(new(step, step / 2, time, step * 0.5, new Dictionary<string, double> { ["train/loss"] = 1.0 / step, ["x/nan"] = double.NaN, ["x/inf"] = double.PositiveInfinity }));
            }
        }
        File.AppendAllText(path, "{\"step\":6,\"epo");
        Assert.Equal([1, 2, 3, 4, 5], MetricsLog.Read(path).Select(row => row.Step));

        using (var log = MetricsLog.OpenAfter(path, 3))
        {
            log.Append(new(4, 9, time, 2, new Dictionary<string, double> { ["train/loss"] = 0.1 + 0.2 }));
        }

        var rows = MetricsLog.Read(path);
        Assert.Equal([(1, 0), (2, 1), (3, 1), (4, 9)], rows.Select(row => (row.Step, row.Epoch)));
        Assert.Equal((1.0 / 3, double.NaN, double.PositiveInfinity), (rows[2].Metrics["train/loss"], rows[2].Metrics["x/nan"], rows[2].Metrics["x/inf"]));
        Assert.Equal(0.1 + 0.2, rows[3].Metrics["train/loss"]);
        Assert.Equal("{\"step\":1,\"epoch\":0,\"time\":\"2026-03-01T12:00:00Z\",\"seconds\":0.5,\"train/loss\":1,\"x/nan\":\"NaN\",\"x/inf\":\"Infinity\"}", File.ReadLines(path).First());
        using (MetricsLog.OpenAfter(path, 0))
        {
            Assert.Empty(MetricsLog.Read(path));
        }
    }

    [Fact]
    public void GitCommit_InThisRepository_IsFortyDigits()
    {
        Assert.SkipUnless(Path.Exists(Path.Combine(Repository.Root, ".git")), "The sources are not a git working tree.");
        Assert.Matches("^[0-9a-f]{40}$", GitCommit.Find(AppContext.BaseDirectory)!);
        Assert.Null(GitCommit.Find("/"));
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
