using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;

namespace Nabla.Core.Native;

/// <summary>
/// Loads libtorch and TorchSharp's library when the first tensor operation needs them. It answers TorchSharp's own search for its
/// native library, so no order of calls can go wrong and a program that never touches a tensor never loads them.
/// </summary>
internal static class NativeBootstrap
{
    private static readonly Lazy<LoadedLibraries> Libraries = new(Load, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>What was loaded; loads it when that has not happened yet.</summary>
    /// <exception cref="NativeLibraryException">A library is missing or refused by the loader; the message says which and why.</exception>
    public static LoadedLibraries Loaded => Libraries.Value;

    // Answering before anyone asks is the one thing a module initializer is for here: users may touch TorchSharp types first.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Register()
#pragma warning restore CA2255
    {
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => Resolve(name));
        // TorchSharp first looks by NativeLibrary.TryLoad, which asks this event and not the resolver above. Where it finds nothing
        // it copies 0.5 GB of packages beside the program, so the answer must come here.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (assembly, name) => assembly == typeof(torch).Assembly ? Resolve(name) : 0;
    }

    private static nint Resolve(string name) => name switch
    {
        "LibTorchSharp" => Loaded.Shim,
        "torch_cpu" or "torch" or "c10" => Loaded.Torch,
        _ => 0,
    };

    private static LoadedLibraries Load()
    {
        var (source, folder) = LibTorchLocation.Find();
        NativeEnvironment.SetDefaults();
        NativeHeap.LimitArenas();
        NativeHeap.KeepFreedMemory();
        // The order of their dependencies; each is global from then on, so the shim finds them whatever its search path says.
        foreach (var name in Preloads(folder))
        {
            LoadFile(Path.Combine(folder, name));
        }
        var torch = LoadFile(Path.Combine(folder, LibTorchLocation.TorchFile));
        LoadDependents(folder);
        TensorHeap.Install(torch);
        var shim = LibTorchLocation.FindShim()
            ?? throw new NativeLibraryException($"{LibTorchLocation.FileName("LibTorchSharp")} was not found beside the program or in the NuGet package folder. Restore the packages again (dotnet restore), or publish the program as a whole.");
        var (loadable, isPatched) = OperatingSystem.IsLinux() ? MakeLoadable(shim) : (shim, false);
        return new(source, folder, torch, loadable, isPatched, LoadFile(loadable));
    }

    private static IEnumerable<string> Preloads(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return new[] { "libiomp5md.dll", "uv.dll", "asmjit.dll", "fbgemm.dll", "c10.dll" }.Where(name => File.Exists(Path.Combine(folder, name)));
        }
        var openMp = Directory.GetFiles(folder, OperatingSystem.IsMacOS() ? "libomp*" : "libgomp*").Select(Path.GetFileName);
        return openMp.Concat([LibTorchLocation.FileName("c10")]).Select(name => name!);
    }

    /// <summary>What stands on libtorch_cpu. A CUDA build registers its kernels when its libraries are loaded; a CPU build has only the last.</summary>
    private static void LoadDependents(string folder)
    {
        foreach (var name in new[] { "c10_cuda", "torch_cuda", "torch" })
        {
            var file = Path.Combine(folder, LibTorchLocation.FileName(name));
            if (File.Exists(file))
            {
                LoadFile(file);
            }
        }
    }

    private static nint LoadFile(string file)
    {
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception cause) when (cause is DllNotFoundException or BadImageFormatException)
        {
            throw new NativeLibraryException($"'{file}' is there but the system's loader refuses it: {cause.Message.Trim()} Run 'nabla doctor' for what is needed and what is present.", cause);
        }
    }

    /// <summary>The shim itself, or a patched copy of it where the C++ runtime is older than it asks for.</summary>
    private static (string File, bool IsPatched) MakeLoadable(string shim)
    {
        var runtime = CppRuntime.Find();
        if (runtime is null)
        {
            return (shim, false); // loading it will say what is missing, in the loader's words
        }
        var original = File.ReadAllBytes(shim);
        var name = Convert.ToHexStringLower(SHA256.HashData(original))[..16];
        var patched = ShimPatch.Apply(original, runtime.Versions, out var unsolved);
        if (unsolved.Count > 0)
        {
            throw new NativeLibraryException(
                $"'{shim}' needs {string.Join(", ", unsolved)} of the C++ runtime; '{runtime.File}' gives up to {runtime.Newest}. Use a system with a newer libstdc++ (GCC 13 or later).");
        }
        if (patched is null)
        {
            return (shim, false);
        }
        var copy = Path.Combine(CacheFolder(), $"{name}-{runtime.Newest}", Path.GetFileName(shim));
        if (!File.Exists(copy) || new FileInfo(copy).Length != patched.Length)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            var temporary = $"{copy}.{Environment.ProcessId}";
            File.WriteAllBytes(temporary, patched);
            File.Move(temporary, copy, overwrite: true);
        }
        return (copy, true);
    }

    private static string CacheFolder()
    {
        var cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        var folder = Path.Combine(cache.Length > 0 ? cache : Path.GetTempPath(), "nabla", "native");
        try
        {
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // A service account may have no writable home; the patched copy is small and can live until the next restart.
            return Directory.CreateTempSubdirectory("nabla-native-").FullName;
        }
    }
}

/// <summary>The native libraries in use.</summary>
/// <param name="Source">How the folder was found.</param>
/// <param name="Folder">Folder of libtorch.</param>
/// <param name="Torch">Handle of libtorch_cpu.</param>
/// <param name="ShimFile">File of TorchSharp's library that was loaded.</param>
/// <param name="IsPatched">Whether that file is a copy adapted to an older C++ runtime.</param>
/// <param name="Shim">Handle of TorchSharp's library.</param>
internal sealed record LoadedLibraries(string Source, string Folder, nint Torch, string ShimFile, bool IsPatched, nint Shim);
