using System.Globalization;
using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>Looks at everything Nabla needs from the machine and says what to do about what is not right.</summary>
public static class Doctor
{
    private const long Gigabyte = 1L << 30;

    /// <summary>All checks of the tensor engine and the machine; each one is made even when those before it failed.</summary>
    public static IReadOnlyList<DoctorCheck> Examine()
    {
        List<DoctorCheck> checks = [.. SystemChecks(), .. ProcessorChecks()];
        checks.AddRange(LibraryChecks());
        if (checks.TrueForAll(check => check.Status != DoctorStatus.Error))
        {
            checks.AddRange(EngineChecks());
        }
        checks.AddRange(MemoryChecks());
        return checks;
    }

    /// <summary>Whether a folder is there, writable, and has room.</summary>
    /// <param name="name">What it is for.</param>
    /// <param name="folder">Its path.</param>
    /// <param name="remedyWhenMissing">What to do when it is not there.</param>
    public static DoctorCheck Folder(string name, string folder, string remedyWhenMissing)
    {
        if (!Directory.Exists(folder))
        {
            return new("folders", name, $"{folder} (not there yet)", DoctorStatus.Warning, remedyWhenMissing);
        }
        var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        return free < Gigabyte
            ? new("folders", name, $"{folder}, {Size(free)} free", DoctorStatus.Warning, "Free some space: checkpoints and data sets need more than 1 GiB.")
            : new("folders", name, $"{folder}, {Size(free)} free");
    }

    private static IEnumerable<DoctorCheck> SystemChecks()
    {
        yield return new("system", "Nabla", typeof(Doctor).Assembly.GetName().Version!.ToString(3));
        yield return new("system", ".NET", Environment.Version.ToString());
        yield return new("system", "Operating system", $"{RuntimeInformation.OSDescription} ({LibTorchLocation.Rid})");
    }

    private static IEnumerable<DoctorCheck> ProcessorChecks()
    {
        var processor = ProcessorFeatures.Current;
        yield return new("processor", "Name", processor.Name);
        yield return processor.Avx2 || processor.ArmSimd
            ? new("processor", "Vector features", processor.Flags)
            : new("processor", "Vector features", processor.Flags.Length == 0 ? "none" : processor.Flags, DoctorStatus.Warning, "Training will be slow without AVX2; use a machine made after 2015.");
        yield return new("processor", "bfloat16", processor.AmxBf16 ? "matrix tiles (AMX)" : processor.Avx512Bf16 ? "vectors (AVX-512 bf16)" : "emulated: precision auto takes float32");
        yield return new("processor", "Cores for this process", processor.Cores.ToString(CultureInfo.InvariantCulture));
    }

    private static List<DoctorCheck> LibraryChecks()
    {
        List<DoctorCheck> checks = [];
        try
        {
            var (source, folder) = LibTorchLocation.Find();
            checks.Add(new("libraries", "libtorch", $"{LibTorchVersion(folder)} in {folder} ({source})"));
        }
        catch (NativeLibraryException missing)
        {
            checks.Add(new("libraries", "libtorch", "not found", DoctorStatus.Error, missing.Message));
        }
        checks.Add(ShimCheck());
        return checks;
    }

    private static DoctorCheck ShimCheck()
    {
        var shim = LibTorchLocation.FindShim();
        if (shim is null)
        {
            return new("libraries", "TorchSharp", "native library not found", DoctorStatus.Error, "Restore the packages again (dotnet restore), or publish the program as a whole.");
        }
        if (!OperatingSystem.IsLinux())
        {
            return new("libraries", "TorchSharp", shim);
        }
        var needed = ElfFile.Parse(File.ReadAllBytes(shim)).NeededVersions()
            .Where(need => need.Version.StartsWith("GLIBCXX_", StringComparison.Ordinal)).Select(need => need.Version)
            .MaxBy(version => Version.Parse(version["GLIBCXX_".Length..]))!;
        var runtime = CppRuntime.Find();
        if (runtime is null)
        {
            return new("libraries", "C++ runtime", $"libstdc++.so.6 not found; TorchSharp needs {needed}", DoctorStatus.Error, "Install libstdc++6 (Debian, Ubuntu) or libstdc++ (Red Hat).");
        }
        if (runtime.Versions.Contains(needed))
        {
            return new("libraries", "C++ runtime", $"TorchSharp needs {needed}; {runtime.File} gives {runtime.Newest}");
        }
        ShimPatch.Apply(File.ReadAllBytes(shim), runtime.Versions, out var unsolved);
        return unsolved.Count == 0
            ? new("libraries", "C++ runtime", $"TorchSharp needs {needed}; {runtime.File} gives {runtime.Newest}: an adapted copy of its library is used")
            : new("libraries", "C++ runtime", $"TorchSharp needs {string.Join(", ", unsolved)}; {runtime.File} gives {runtime.Newest}", DoctorStatus.Error, "Use a system with a newer libstdc++ (GCC 13 or later).");
    }

    private static List<DoctorCheck> EngineChecks()
    {
        try
        {
            NablaRuntime.EnsureLoaded();
            using var one = ones(1);
            List<DoctorCheck> checks =
            [
                new("libraries", "Tensor engine", $"loaded {NativeBootstrap.Loaded.ShimFile}; a sum gives {one.sum().item<float>().ToString(CultureInfo.InvariantCulture)}"),
                new("devices", "cpu", $"{get_num_threads()} threads for one operation, {get_num_interop_threads()} between operations"),
            ];
            checks.AddRange(WorkKinds.All.Select(PrecisionCheck));
            checks.Add(TensorHeapCheck());
            var count = Devices.CudaCount();
            checks.AddRange(Enumerable.Range(0, count).Select(index => new DoctorCheck("devices", $"cuda:{index}", CudaState(index))));
            if (count == 0)
            {
                checks.Add(new("devices", "cuda", "none; to use a GPU set NABLA_LIBTORCH to the torch/lib folder of a CUDA PyTorch install"));
            }
            return checks;
        }
        catch (Exception failure) when (failure is NativeLibraryException or TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            var cause = failure.GetBaseException();
            return [new("libraries", "Tensor engine", "does not load", DoctorStatus.Error, cause.Message)];
        }
    }

    private static string CudaState(int index) => DeviceMemory.Query(new Device(DeviceType.CUDA, index)) is { } memory
        ? $"usable; {Size(memory.Free)} free of {Size(memory.Total)}"
        : "usable";

    /// <summary>What precision <c>auto</c> means here; measures where that has not been done on this machine.</summary>
    private static DoctorCheck PrecisionCheck(WorkKind kind)
    {
        var precision = PrecisionPolicy.Resolve(PrecisionPolicy.Auto, CPU, kind);
        return new("processor", $"precision auto, {WorkKinds.Name(kind)}", $"{precision.Name}: {precision.Reason}");
    }

    private static DoctorCheck TensorHeapCheck() => new("memory", "Tensors", TensorHeap.IsActive
        ? $"blocks of Nabla, in {(HugePages.AreOn ? "huge pages" : "small pages; 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' as root makes training faster")}"
        : TensorHeap.IsSwitchedOff ? "the C library's heap, as NABLA_ALLOCATOR says" : "the C library's heap: this system or libtorch is not one that Nabla's blocks are made for; memory may grow in long runs");

    private static IEnumerable<DoctorCheck> MemoryChecks()
    {
        GC.Collect(0); // the figures are those of the last collection, and there may have been none
        var memory = GC.GetGCMemoryInfo();
        var free = memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes;
        yield return free < 2 * Gigabyte
            ? new("memory", "Memory", $"{Size(free)} free of {Size(memory.TotalAvailableMemoryBytes)}", DoctorStatus.Warning, "Training needs about 2 GiB; close other programs or use smaller batches.")
            : new("memory", "Memory", $"{Size(free)} free of {Size(memory.TotalAvailableMemoryBytes)}");
        yield return Folder("Current folder", Environment.CurrentDirectory, "Go to a folder that exists.");
    }

    /// <summary>The version that a PyTorch install writes beside its libraries, else that of the package.</summary>
    private static string LibTorchVersion(string folder)
    {
        var versionFile = Path.Combine(folder, "..", "version.py");
        if (File.Exists(versionFile))
        {
            var line = File.ReadLines(versionFile).FirstOrDefault(text => text.StartsWith("__version__", StringComparison.Ordinal));
            return line is null ? "of unknown version" : line.Split('\'', '"')[1];
        }
        return LibTorchLocation.Version;
    }

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)Gigabyte:0.0} GiB");
}
