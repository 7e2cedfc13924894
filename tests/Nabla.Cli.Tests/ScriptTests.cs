using System.Diagnostics;
using Nabla.Testing;

namespace Nabla.Cli.Tests;

/// <summary>The scripts <c>./nabla</c> and <c>./test</c>, with a <c>dotnet</c> that only notes what it is asked.</summary>
public sealed class ScriptTests : IDisposable
{
    private const string FakeDotnet = """
        #!/usr/bin/env bash
        echo "$1" >>"$FAKE_CALLS"
        if [[ $1 == build ]]; then
            sleep "${FAKE_BUILD_SECONDS:-0.2}"
            [[ -z ${FAKE_FAILS:-} ]] || { echo "src/A.cs(1,2): error CS1002: ; expected"; exit 1; }
            for argument in "$@"; do
                if [[ $argument == -property:ArtifactsPath=* ]]; then
                    mkdir -p "${argument#*=}/bin/Nabla.Cli/release" && touch "${argument#*=}/bin/Nabla.Cli/release/Nabla.Cli.dll"
                fi
            done
            if [[ $2 == Nabla.slnx ]]; then
                mkdir -p artifacts/bin/A.Tests/release && cp "$FAKE_PROGRAM" artifacts/bin/A.Tests/release/A.Tests
            fi
            exit 0
        fi
        [[ $1 == *.dll ]] && printf '[%s]\n' "${@:2}"
        exit 0
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("nabla scripts").FullName;

    public ScriptTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The scripts are for bash.");
        foreach (var script in new[] { "nabla", "test" })
        {
            File.Copy(Path.Combine(Repository.Root, script), InFolder("work", script));
        }
        foreach (var file in new[] { "README.md", "global.json", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "src/A.cs", "recipes/a.yaml", "benchmarks/Baselines/A.cs", "tests/A.Tests/A.Tests.csproj" })
        {
            File.WriteAllText(InFolder("work", file), "");
        }
        Executable(InFolder("bin", "dotnet"), FakeDotnet);
        Executable(InFolder("bin", "chromium"), "#!/bin/sh\n");
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Launcher_BuildsOnce_AndAgainWhenASourceChanged()
    {
        var first = await RunAsync("nabla", ["train", "a b", "", "--set", "x=*"]);
        var second = await RunAsync("nabla", ["doctor"]);
        var builds = Builds();
        await Task.Delay(50, TestContext.Current.CancellationToken); // past the clock's grain
        File.WriteAllText(InFolder("work", "recipes/b.yaml"), "");
        var third = await RunAsync("nabla", ["doctor"]);
        var afterAdding = Builds();
        await Task.Delay(50, TestContext.Current.CancellationToken);
        File.Delete(InFolder("work", "recipes/b.yaml"));
        await RunAsync("nabla", ["doctor"]);

        Assert.Equal((0, "[train]\n[a b]\n[]\n[--set]\n[x=*]\n"), (first.Code, first.Output));
        Assert.Contains("building", first.Error, StringComparison.Ordinal);
        Assert.Equal((0, "[doctor]\n", ""), (second.Code, second.Output, second.Error));
        Assert.Equal((0, "[doctor]\n"), (third.Code, third.Output));
        Assert.Equal((1, 2, 3), (builds, afterAdding, Builds()));
    }

    [Fact]
    public async Task Launcher_ThroughASymbolicLink_FindsItsRepository()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "elsewhere"));
        File.CreateSymbolicLink(Path.Combine(_folder, "elsewhere", "one"), InFolder("work", "nabla"));
        File.CreateSymbolicLink(Path.Combine(_folder, "elsewhere", "two"), "one");

        var outcome = await RunAsync(Path.Combine(_folder, "elsewhere", "two"), ["doctor"], folder: "/");

        Assert.Equal((0, "[doctor]\n"), (outcome.Code, outcome.Output));
        Assert.True(File.Exists(InFolder("work", "artifacts/launcher/built")));
    }

    [Fact]
    public async Task Launcher_StartedAtTheSameTime_BuildsOnce()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunAsync("nabla", ["doctor"])));

        Assert.All(outcomes, outcome => Assert.Equal((0, "[doctor]\n"), (outcome.Code, outcome.Output)));
        Assert.Equal(1, Builds());
        Assert.Empty(Leftovers());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")] // the folder was made and its owner not yet written
    [InlineData("999999999")] // in the middle of a build
    public async Task Launcher_WhereThereIsNoFlock_StillBuildsOnce(string? left)
    {
        // Only the tools that a system without util-linux has, too.
        foreach (var tool in new[] { "bash", "cat", "dirname", "find", "grep", "head", "mkdir", "mktemp", "mv", "readlink", "rm", "rmdir", "sh", "sleep", "tail", "touch", "wc" })
        {
            File.CreateSymbolicLink(InFolder("bin", tool), new[] { "/usr/bin", "/bin" }.Select(folder => Path.Combine(folder, tool)).First(File.Exists));
        }
        if (left is not null) // by a process that was killed
        {
            Directory.CreateDirectory(Path.Combine(_folder, "work", "artifacts", "launcher", "lock.folder"));
            if (left.Length > 0)
            {
                File.WriteAllText(InFolder("work", "artifacts/launcher/lock.folder/" + left), "");
            }
        }

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RunAsync("nabla", ["doctor"], ("PATH", Path.Combine(_folder, "bin")))));

        Assert.All(outcomes, outcome => Assert.Equal((0, "[doctor]\n"), (outcome.Code, outcome.Output)));
        Assert.Equal(1, Builds());
        Assert.Empty(Leftovers());
    }

    [Theory]
    [InlineData(15)] // not SIGINT, which a shell without a terminal lets its children ignore; the script treats both alike
    [InlineData(9)]
    public async Task Launcher_InterruptedWhileBuilding_LeavesNothing_AndBuildsNextTime(int signal)
    {
        using (var process = Start("nabla", ["doctor"], ("FAKE_BUILD_SECONDS", "1")))
        {
            while (!File.Exists(Path.Combine(_folder, "calls")))
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
            // The build runs in a process below the launcher's; a terminal signals all of them, and so does this.
            using var kill = Process.Start("bash", ["-c", $"kill -{signal} -- $(pgrep -d ' ' -f '{_folder}/[w]ork/nabla')"])!;
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.NotEqual(0, process.ExitCode);
        }
        await Task.Delay(1200, TestContext.Current.CancellationToken); // a build that outlived its launcher has ended
        if (signal != 9)
        {
            Assert.Empty(Leftovers());
        }

        var again = await RunAsync("nabla", ["doctor"]);

        Assert.Equal((0, "[doctor]\n"), (again.Code, again.Output));
        Assert.Equal(2, Builds());
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Launcher_WhenTheBuildFails_ShowsTheErrors_AndTriesAgainNextTime()
    {
        var outcome = await RunAsync("nabla", ["doctor"], ("FAKE_FAILS", "1"));
        var again = await RunAsync("nabla", ["doctor"]);

        Assert.Equal((1, ""), (outcome.Code, outcome.Output));
        Assert.Contains("error CS1002", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("build.log", outcome.Error, StringComparison.Ordinal);
        Assert.Equal((0, "[doctor]\n"), (again.Code, again.Output));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public void Launchers_OfBothShells_WatchTheSameSources()
    {
        var bash = File.ReadAllText(InFolder("work", "nabla"));
        var powershell = File.ReadAllText(Path.Combine(Repository.Root, "nabla.ps1"));
        var watched = bash[(bash.IndexOf("find ", bash.IndexOf("newer=", StringComparison.Ordinal), StringComparison.Ordinal) + 5)..bash.IndexOf("-newer", StringComparison.Ordinal)].Split([' ', '\\', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var start = powershell.IndexOf("foreach ($name in 'README.md'", StringComparison.Ordinal);

        Assert.Contains("src", watched);
        Assert.Equal(watched.Order(StringComparer.Ordinal), powershell[start..powershell.IndexOf(')', start)].Split('\'').Where((_, i) => i % 2 == 1).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("passed=\"3\" failed=\"0\" skipped=\"1\" errors=\"0\"", 0, "3 passed, 0 failed, 1 skipped", 0)]
    [InlineData("passed=\"3\" failed=\"2\" skipped=\"1\" errors=\"0\"", 2, "3 passed, 2 failed, 1 skipped", 1)]
    [InlineData("passed=\"3\" failed=\"0\" skipped=\"0\" errors=\"1\"", 1, "3 passed, 1 failed, 0 skipped", 1)]
    [InlineData("passed=\"3\" failed=\"0\" skipped=\"0\" errors=\"0\"", 134, "3 passed, 1 failed, 0 skipped", 1)]
    [InlineData("passed=\"0\" failed=\"0\" skipped=\"2\" errors=\"0\"", 0, "0 passed, 0 failed, 2 skipped", 1)]
    [InlineData(null, 134, "0 passed, 1 failed, 0 skipped", 1)]
    public async Task Test_EndsWithTheSum(string? result, int code, string last, int exitCode)
    {
        var write = result is null ? "" : $"echo '<assemblies><assembly name=\"a\" {result}><test result=\"Skip\"><reason><![CDATA[needs a reason]]></reason></test></assembly></assemblies>' >\"$xml\"";
        Executable(InFolder("bin", "program"), $$"""
            #!/usr/bin/env bash
            while (($#)); do [[ $1 != -xml ]] || xml=$2; shift; done
            {{write}}
            exit {{code}}
            """);

        var outcome = await RunAsync("test", []);

        Assert.Equal((exitCode, last), (outcome.Code, outcome.Output.TrimEnd('\n').Split('\n')[^1]));
        Assert.Equal(result is not null, outcome.Output.Contains("1 skipped: needs a reason", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Test_WhenTheBuildFails_EndsWithTheSum()
    {
        var outcome = await RunAsync("test", [], ("FAKE_FAILS", "1"));

        Assert.Equal((1, "0 passed, 1 failed, 0 skipped"), (outcome.Code, outcome.Output.TrimEnd('\n').Split('\n')[^1]));
        Assert.Contains("error CS1002", outcome.Output, StringComparison.Ordinal);
    }

    /// <summary>What a build makes for itself and must take away.</summary>
    private string[] Leftovers()
    {
        var folder = Path.Combine(_folder, "work", "artifacts", "launcher");
        return [.. Directory.GetFileSystemEntries(folder, "started.*"), .. Directory.GetFileSystemEntries(folder, "lock.folder")];
    }

    private int Builds() => File.ReadAllLines(Path.Combine(_folder, "calls")).Count(call => call == "build");

    private string InFolder(string part, string file)
    {
        var path = Path.Combine(_folder, part, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private static void Executable(string path, string text)
    {
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private Task<CommandLineOutcome> RunAsync(string script, string[] arguments, (string Name, string Value)? variable = null, string? folder = null)
        => NablaProcess.EndAsync(Start(script, arguments, variable, folder));

    private Process Start(string script, string[] arguments, (string Name, string Value)? variable = null, string? folder = null)
    {
        var start = new ProcessStartInfo("/bin/bash", [Path.Combine(_folder, "work", script), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? Path.Combine(_folder, "work") };
        start.Environment["PATH"] = $"{Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["FAKE_CALLS"] = Path.Combine(_folder, "calls");
        start.Environment["FAKE_PROGRAM"] = Path.Combine(_folder, "bin", "program");
        if (variable is { } one)
        {
            start.Environment[one.Name] = one.Value;
        }
        return Process.Start(start)!;
    }
}
