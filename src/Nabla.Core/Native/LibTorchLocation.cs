using System.Reflection;
using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>Finds the folder of libtorch.</summary>
internal static class LibTorchLocation
{
    /// <summary>Name of the environment variable that points at a libtorch folder, such as <c>torch/lib</c> of a PyTorch install.</summary>
    public const string Variable = "NABLA_LIBTORCH";

    /// <summary>Version of libtorch that this build was made for.</summary>
    public static string Version { get; } = typeof(LibTorchLocation).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "LibTorchVersion").Value!;

    /// <summary>File name of the main library on this system.</summary>
    public static string TorchFile { get; } = FileName("torch_cpu");

    /// <summary>System and processor as NuGet names them, such as <c>linux-x64</c>.</summary>
    public static string Rid { get; } =
        $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>File name of a native library on this system: <c>lib{name}.so</c>, <c>lib{name}.dylib</c> or <c>{name}.dll</c>.</summary>
    public static string FileName(string name)
        => OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>The folders that are looked into, best first.</summary>
    public static IEnumerable<(string Source, string Folder)> Candidates()
    {
        var chosen = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(chosen))
        {
            // Named by the user: nothing else is tried, so that a wrong path is seen and not papered over.
            yield return (Variable, chosen);
            yield break;
        }
        yield return ("published beside the program", AppContext.BaseDirectory);
        yield return ("published beside the program", Path.Combine(AppContext.BaseDirectory, "runtimes", Rid, "native"));
        foreach (var root in PackageFolders())
        {
            yield return ("NuGet package folder", Path.Combine(root, $"libtorch-cpu-{Rid}", Version, "runtimes", Rid, "native"));
        }
    }

    /// <summary>The first candidate that holds libtorch.</summary>
    /// <exception cref="NativeLibraryException">None does; the message lists where was looked and what to do.</exception>
    public static (string Source, string Folder) Find()
    {
        var candidates = Candidates().ToList();
        foreach (var candidate in candidates)
        {
            if (File.Exists(Path.Combine(candidate.Folder, TorchFile)))
            {
                return candidate;
            }
        }
        var remedy = candidates[0].Source == Variable
            ? $"{Variable} must name a folder that holds {TorchFile}, such as torch/lib of a PyTorch install; unset it to use the package."
            : $"Add the package libtorch-cpu-{Rid} {Version} to the project, or set {Variable} to the torch/lib folder of a PyTorch install.";
        throw new NativeLibraryException(
            $"libtorch was not found: expected {TorchFile} in one of {string.Join(", ", candidates.Select(candidate => $"'{candidate.Folder}'"))}. {remedy}");
    }

    /// <summary>A file of the TorchSharp package, from where the program was published or from the package folder; null when it is nowhere.</summary>
    public static string? FindShim()
    {
        var name = FileName("LibTorchSharp");
        var version = typeof(torch).Assembly.GetName().Version!.ToString(3);
        return new[]
        {
            Path.Combine(AppContext.BaseDirectory, "runtimes", Rid, "native", name),
            Path.Combine(AppContext.BaseDirectory, name),
        }.Concat(PackageFolders().Select(root => Path.Combine(root, "torchsharp", version, "runtimes", Rid, "native", name)))
            .FirstOrDefault(File.Exists);
    }

    private static IEnumerable<string> PackageFolders()
    {
        var named = Environment.GetEnvironmentVariable("NUGET_PACKAGES");
        if (!string.IsNullOrEmpty(named))
        {
            yield return named;
        }
        yield return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
    }
}
