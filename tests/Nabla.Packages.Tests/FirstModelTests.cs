using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Nabla.Testing;

namespace Nabla.Packages.Tests;

/// <summary>Packs what ./test has built and uses the packages as a user would: a project outside the repository, a local folder as feed.</summary>
public sealed class FirstModelTests : IDisposable
{
    private static readonly string[] Libraries = ["Nabla.Core", "Nabla.Data", "Nabla.Nn", "Nabla.Models", "Nabla.Training", "Nabla"];
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-packages-").FullName;
    private readonly string _version = string.Create(CultureInfo.InvariantCulture, $"0.1.0-test.{Environment.ProcessId}");

    [Fact]
    public void FirstModel_FromThePackages_TrainsAndPredicts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64, "the sample names libtorch for Linux x64");
        var configuration = AppContext.BaseDirectory.Contains("release", StringComparison.OrdinalIgnoreCase) ? "Release" : "Debug";
        foreach (var library in Libraries)
        {
            Run(Repository.Root, "pack", $"src/{library}/{library}.csproj", "--no-build", "--configuration", configuration, "--output", Path.Combine(_folder, "feed"), $"-p:Version={_version}", "--nologo", "-v", "q");
        }
        CheckPackage(Path.Combine(_folder, "feed", $"Nabla.Core.{_version}.nupkg"), "lib/net10.0/Nabla.Core.dll", "lib/net10.0/Nabla.Core.xml", "README.md", "buildTransitive/Nabla.Core.targets");
        CheckPackage(Path.Combine(_folder, "feed", $"Nabla.Core.{_version}.snupkg"), "lib/net10.0/Nabla.Core.pdb");

        var sample = Path.Combine(_folder, "FirstModel");
        Directory.CreateDirectory(sample);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples", "FirstModel")))
        {
            File.Copy(file, Path.Combine(sample, Path.GetFileName(file)));
        }
        File.WriteAllText(Path.Combine(sample, "nuget.config"), File.ReadAllText(Path.Combine(sample, "nuget.config")).Replace("../../artifacts/package/release", Path.Combine(_folder, "feed"), StringComparison.Ordinal));
        var code = File.ReadLines(Path.Combine(sample, "Program.cs")).Count(line => line.Trim().Length > 0 && !line.TrimStart().StartsWith("//", StringComparison.Ordinal));
        Assert.InRange(code, 1, 20);

        var output = Run(sample, "run", $"-p:NablaVersion={_version}", "-v", "q");

        Assert.Contains("test accuracy", output, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(sample, "runs"), "report.html", SearchOption.AllDirectories));
        // libtorch is loaded from where NuGet unpacked it; nothing of its 0.5 GB is copied into the build.
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(sample, "bin"), "*torch_cpu*", SearchOption.AllDirectories));
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var library in Libraries)
        {
            var restored = Path.Combine(packages, library.ToLowerInvariant(), _version);
            if (Directory.Exists(restored))
            {
                Directory.Delete(restored, recursive: true);
            }
        }
    }

    private static void CheckPackage(string file, params ReadOnlySpan<string> entries)
    {
        using var package = ZipFile.OpenRead(file);
        foreach (var entry in entries)
        {
            Assert.NotNull(package.GetEntry(entry));
        }
    }

    private static string Run(string folder, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("NABLA_RUNS");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}\n{error.Result}");
        return output;
    }
}
