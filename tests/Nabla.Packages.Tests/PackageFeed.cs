using System.Diagnostics;
using System.Globalization;
using Nabla.Testing;

namespace Nabla.Packages.Tests;

/// <summary>Packs what ./test has built into a folder that serves as feed, under a version of its own; removes all of it at the end.</summary>
public sealed class PackageFeed : IDisposable
{
    private static readonly string[] Libraries = ["Nabla.Core", "Nabla.Data", "Nabla.Nn", "Nabla.Models", "Nabla.Training", "Nabla"];
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-packages-").FullName;

    public PackageFeed()
    {
        var configuration = AppContext.BaseDirectory.Contains("release", StringComparison.OrdinalIgnoreCase) ? "Release" : "Debug";
        foreach (var library in Libraries)
        {
            Run(Repository.Root, "pack", $"src/{library}/{library}.csproj", "--no-build", "--configuration", configuration, "--output", Feed, $"-p:Version={Version}", "--nologo", "-v", "q");
        }
    }

    /// <summary>The folder with the packages.</summary>
    public string Feed => Path.Combine(_folder, "feed");

    /// <summary>Version of the packages; no other process uses it.</summary>
    public string Version { get; } = string.Create(CultureInfo.InvariantCulture, $"0.1.0-test.{Environment.ProcessId}");

    /// <summary>Copies a sample out of the repository, as a user has it, with this feed in its nuget.config.</summary>
    public string Copy(string sample)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, sample)).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples", sample)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        var settings = Path.Combine(folder, "nuget.config");
        File.WriteAllText(settings, File.ReadAllText(settings).Replace("../../artifacts/package/release", Feed, StringComparison.Ordinal));
        return folder;
    }

    /// <summary>Runs dotnet in a folder and gives its output; a failure fails the test.</summary>
    public static string Run(string folder, params string[] arguments)
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

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var restored in Libraries.Select(library => Path.Combine(packages, library.ToLowerInvariant(), Version)).Where(Directory.Exists))
        {
            Directory.Delete(restored, recursive: true);
        }
    }
}
