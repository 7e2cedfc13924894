using Nabla.Core.Native;

namespace Nabla.Core.Tests;

public sealed class ShimPatchTests
{
    private static readonly string[] Debian12 = Versions(30), RedHat9 = Versions(29), Ubuntu2404 = Versions(33);

    [Fact]
    public void Apply_WithNewRuntime_ChangesNothing()
    {
        Assert.Null(ShimPatch.Apply(Shim(), Ubuntu2404, out var unsolved));
        Assert.Empty(unsolved);
    }

    [Fact]
    public void Apply_WithDebian12_AsksOnlyForWhatIsThere() => CheckLoadable(Debian12);

    [Fact]
    public void Apply_WithRedHat9_AsksOnlyForWhatIsThere() => CheckLoadable(RedHat9);

    [Fact]
    public void Apply_WithRuntimeThatIsMuchTooOld_NamesWhatIsMissing()
    {
        ShimPatch.Apply(Shim(), Versions(11), out var unsolved);

        Assert.NotEmpty(unsolved);
        Assert.All(unsolved, version => Assert.StartsWith("GLIBCXX_", version, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_OfSomethingElse_SaysSo()
        => Assert.Throws<InvalidDataException>(() => ElfFile.Parse(new byte[200]));

    [Fact]
    public void DefinedVersions_OfRuntime_HoldThoseOfItsNewestRelease()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the C++ runtime is libstdc++ on Linux only");
        var runtime = CppRuntime.Find();

        Assert.NotNull(runtime);
        Assert.Contains("GLIBCXX_3.4", runtime.Versions);
        Assert.Contains(runtime.Newest, runtime.Versions);
    }

    private static void CheckLoadable(string[] present)
    {
        var patched = ShimPatch.Apply(Shim(), present, out var unsolved);

        Assert.NotNull(patched);
        Assert.Empty(unsolved);
        var elf = ElfFile.Parse(patched);
        Assert.All(elf.NeededVersions().Where(need => need.Library.StartsWith("libstdc++", StringComparison.Ordinal)),
            need => Assert.Contains(need.Version, present));
        Assert.Equal(Shim().Length, patched.Length);
        // The dynamic loader of this machine takes it as well, beside the libraries that are loaded already.
        NablaRuntime.EnsureLoaded();
        var file = Path.Combine(Directory.CreateTempSubdirectory("nabla-shim-").FullName, "libLibTorchSharp.so");
        File.WriteAllBytes(file, patched);
        var handle = System.Runtime.InteropServices.NativeLibrary.Load(file);
        Assert.NotEqual(0, handle);
        System.Runtime.InteropServices.NativeLibrary.Free(handle);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    private static byte[] Shim()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF files are loaded on Linux only");
        return File.ReadAllBytes(LibTorchLocation.FindShim()!);
    }

    private static string[] Versions(int newest) =>
    [
        "GLIBCXX_3.4", .. Enumerable.Range(1, newest).Select(minor => $"GLIBCXX_3.4.{minor}"),
        .. Enumerable.Range(0, 14).Select(minor => minor == 0 ? "CXXABI_1.3" : $"CXXABI_1.3.{minor}"), "CXXABI_1.3.14", "CXXABI_1.3.15",
    ];
}
