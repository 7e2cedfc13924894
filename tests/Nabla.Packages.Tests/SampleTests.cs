using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Nabla.Testing;

namespace Nabla.Packages.Tests;

/// <summary>The samples, built and run as a user would: a project outside the repository that takes the packages from a feed.</summary>
/// <param name="feed">The packages.</param>
public sealed partial class SampleTests(PackageFeed feed) : IClassFixture<PackageFeed>
{
    [Fact]
    public void Packages_HoldLibraryDocumentationReadmeAndSymbols()
    {
        CheckPackage("nupkg", "lib/net10.0/Nabla.Core.dll", "lib/net10.0/Nabla.Core.xml", "README.md", "buildTransitive/Nabla.Core.targets");
        CheckPackage("snupkg", "lib/net10.0/Nabla.Core.pdb");
    }

    [Fact]
    public void FirstModel_FromThePackages_TrainsAndPredicts()
    {
        var sample = Copy("FirstModel");
        var code = File.ReadLines(Path.Combine(sample, "Program.cs")).Count(line => line.Trim().Length > 0 && !line.TrimStart().StartsWith("//", StringComparison.Ordinal));
        Assert.InRange(code, 1, 20);

        var output = Run(sample);

        Assert.Contains("test accuracy", output, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(sample, "runs"), "report.html", SearchOption.AllDirectories));
        // libtorch is loaded from where NuGet unpacked it; nothing of its 0.5 GB is copied into the build.
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(sample, "bin"), "*torch_cpu*", SearchOption.AllDirectories));
    }

    [Fact]
    public void OwnModule_FromThePackages_LearnsTheFormulaBehindTheRecords()
    {
        var sample = Copy("OwnModule");

        var output = Run(sample);

        // 5 km at 17:30 in the rain take 3 + 5 x (2 + 1) x 1.2 = 21 minutes by the formula that made the records.
        var minutes = double.Parse(Answer().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.InRange(minutes, 19, 23);
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(sample, "runs"), "manifest.json", SearchOption.AllDirectories));
    }

    [Fact]
    public void Samples_AreAllTested()
        => Assert.Equal(["FirstModel", "OwnModule"], Directory.GetDirectories(Path.Combine(Repository.Root, "samples")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    private string Copy(string sample)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64, "the samples name libtorch for Linux x64");
        return feed.Copy(sample);
    }

    private string Run(string sample) => PackageFeed.Run(sample, "run", $"-p:NablaVersion={feed.Version}", "-v", "q");

    private void CheckPackage(string kind, params ReadOnlySpan<string> entries)
    {
        using var package = ZipFile.OpenRead(Path.Combine(feed.Feed, $"Nabla.Core.{feed.Version}.{kind}"));
        foreach (var entry in entries)
        {
            Assert.NotNull(package.GetEntry(entry));
        }
    }

    [GeneratedRegex(@"in the rain: (\d+) minutes")]
    private static partial Regex Answer();
}
