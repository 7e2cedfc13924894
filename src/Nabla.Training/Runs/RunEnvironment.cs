using System.Reflection;
using System.Runtime.InteropServices;

namespace Nabla.Training;

/// <summary>Content of <c>environment.json</c>: what a run was made with, so that it can be made again.</summary>
public sealed record RunEnvironment
{
    /// <summary>Version of Nabla.</summary>
    public string Nabla { get; init; } = "";

    /// <summary>Version of the .NET runtime.</summary>
    public string Runtime { get; init; } = "";

    /// <summary>Version of TorchSharp.</summary>
    public string TorchSharp { get; init; } = "";

    /// <summary>Version of libtorch that TorchSharp was built for.</summary>
    public string LibTorch { get; init; } = "";

    /// <summary>Operating system.</summary>
    public string OperatingSystem { get; init; } = "";

    /// <summary>Processor architecture, such as X64.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>Processor's name, or empty when the system does not tell.</summary>
    public string Processor { get; init; } = "";

    /// <summary>Logical processors this process may use.</summary>
    public int Processors { get; init; }

    /// <summary>Threads of the native library. The same number is needed for the same bits.</summary>
    public int Threads { get; init; }

    /// <summary>Memory this process may use, in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Device that trains, such as <c>cpu</c> or <c>cuda:0</c>.</summary>
    public string Device { get; init; } = "";

    /// <summary>Commit of the git repository around the working folder, or null.</summary>
    public string? Commit { get; init; }

    /// <summary>The run's seed.</summary>
    public long Seed { get; init; }

    /// <summary>SHA-256 of each data set, by name.</summary>
    public IReadOnlyDictionary<string, string> DataHashes { get; init => field = value ?? field; } = new Dictionary<string, string>(); // a key that is missing in the file is read as null

    /// <summary>SHA-256 of the files from which the model is rebuilt, beside the checkpoints (recipe, encoders), by name.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init => field = value ?? field; } = new Dictionary<string, string>();

    /// <summary>Describes this process.</summary>
    /// <param name="device">Device that trains.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="dataHashes">SHA-256 of each data set, by name; null: none.</param>
    public static RunEnvironment Capture(Device device, long seed, IReadOnlyDictionary<string, string>? dataHashes = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new()
        {
            Nabla = NablaVersion,
            Runtime = RuntimeInformation.FrameworkDescription,
            TorchSharp = VersionOf(typeof(torch).Assembly),
            LibTorch = torch.__version__,
            OperatingSystem = RuntimeInformation.OSDescription,
            Architecture = RuntimeInformation.ProcessArchitecture.ToString(),
            Processor = ProcessorName(),
            Processors = Environment.ProcessorCount,
            Threads = torch.get_num_threads(),
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            Device = device.ToString(),
            Commit = GitCommit.Find(Environment.CurrentDirectory),
            Seed = seed,
            DataHashes = dataHashes ?? new Dictionary<string, string>(),
        };
    }

    /// <summary>Version of this library.</summary>
    internal static string NablaVersion { get; } = VersionOf(typeof(RunEnvironment).Assembly);

    private static string VersionOf(Assembly assembly)
        => assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version?.ToString() ?? "";

    private static string ProcessorName()
    {
        const string Key = "model name";
        if (!System.OperatingSystem.IsLinux() || !File.Exists("/proc/cpuinfo"))
        {
            return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "";
        }
        var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
        return line is null ? "" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
