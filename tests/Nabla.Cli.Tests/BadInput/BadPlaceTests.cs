namespace Nabla.Cli.Tests.BadInput;

/// <summary>A disk without room and folders that cannot be written are found before the first epoch.</summary>
public sealed class BadPlaceTests : BadInputTest
{
    [Theory]
    [InlineData("64k", "[8]", 60_000, "input-output", "has room")]
    [InlineData("400k", "[512, 512]", 0, "checkpoint-invalid", "bytes free for two checkpoints")]
    public async Task FullDisk_IsFoundBeforeTheFirstEpoch(string size, string hidden, int used, string error, string said)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A small disk is mounted as Linux does it.");
        var disk = Directory.CreateDirectory(At("disk")).FullName;
        var mount = $"mount -t tmpfs -o size={size} none '{disk}'";
        // Its own view of the file systems: the small disk is gone with the process.
        var probe = await NablaProcess.EndAsync(NablaProcess.StartAny("unshare", ["-rm", "sh", "-c", mount]));
        Assert.SkipUnless(probe.Code == 0, "This system lets no test mount a small disk.");
        Write("rows.csv", Rows());
        var recipe = WriteRecipe(Table + "data: {path: '@/rows.csv', target: kind}\n");
        var script = $"{mount} && head -c {used} /dev/zero >'{disk}/other' && dotnet '{NablaProcess.Program}' train '{recipe}' --set 'model.hidden={hidden}' --json --out '{disk}/runs'; code=$?; ls '{disk}/runs' >&2; exit $code";

        var outcome = await NablaProcess.EndAsync(NablaProcess.StartAny("unshare", ["-rm", "sh", "-c", script]));

        AssertRefused(outcome, ExitCode.Failed, error, disk, said); // and 'ls' added nothing behind the message
        Assert.Matches("No space left on device|disk was full", outcome.Error);
        Assert.DoesNotContain("epoch 1", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadOnlyFolder_IsFoundBeforeTheFirstEpoch()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc can be written by nobody, root included.");
        Write("rows.csv", Rows());
        var recipe = WriteRecipe(Table + "data: {path: '@/rows.csv', target: kind}\n");

        var outcome = await CommandLineHarness.RunAsync(["train", recipe, "--json", "--out", "/proc/self/nabla"]);

        AssertRefused(outcome, ExitCode.Failed, "checkpoint-invalid", "/proc/self/nabla", "expected to make a run folder here", "--out");
    }

    [Fact]
    public async Task OutputFolderThatIsAFile_IsRefused()
    {
        Write("rows.csv", Rows());
        Write("runs", "a file");

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', target: kind}\n"), ExitCode.Failed, "checkpoint-invalid", Runs, "expected to make a run folder here", "--out");
        Assert.Equal("a file", File.ReadAllText(Runs));
    }
}
