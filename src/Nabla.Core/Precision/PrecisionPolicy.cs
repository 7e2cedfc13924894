using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nabla.Core;

/// <summary>
/// Decides the arithmetic of a run. <c>auto</c> measures once on a machine whether bfloat16 is clearly faster than float32 and remembers it: on
/// processors without bfloat16 units it is emulated and slower, and no list of processors says how much.
/// </summary>
public static class PrecisionPolicy
{
    /// <summary>Full precision.</summary>
    public const string Float32 = "float32";

    /// <summary>Products in bfloat16, everything else in float32.</summary>
    public const string BFloat16Mixed = "bfloat16-mixed";

    /// <summary>Products in float16, everything else in float32, the loss scaled.</summary>
    public const string Float16Mixed = "float16-mixed";

    /// <summary>What is fastest here and safe.</summary>
    public const string Auto = "auto";

    /// <summary>Environment variable that decides for <c>auto</c>.</summary>
    public const string Variable = "NABLA_PRECISION";

    /// <summary>Smaller gains are not worth fewer digits, and a measurement could find them by chance.</summary>
    private const double ClearlyFaster = 1.3;

    private static readonly string[] Fixed = [Float32, BFloat16Mixed, Float16Mixed];

    /// <summary>The arithmetic for a run on a device.</summary>
    /// <param name="precision">float32, bfloat16-mixed, float16-mixed or auto.</param>
    /// <param name="device">The device that computes.</param>
    /// <param name="kind">What most of the work is, see <see cref="WorkKinds.Of"/>. Default: matrix products.</param>
    /// <returns>The choice with its reason. Mixed precision that this platform cannot offer becomes float32, and the reason says so.</returns>
    /// <exception cref="OptionsException">The name, or that in NABLA_PRECISION, is not known.</exception>
    public static ComputePrecision Resolve(string precision, Device device, WorkKind kind = WorkKind.Products)
        => Resolve(precision, device, kind, CacheFolder(), PrecisionBenchmark.SpeedUp, MachineLoad.IsHigh);

    /// <summary>Where measurements are kept.</summary>
    public static string CacheFolder()
    {
        var local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return Path.Combine(local.Length > 0 ? local : Path.GetTempPath(), "nabla", "precision");
    }

    internal static ComputePrecision Resolve(string precision, Device device, WorkKind kind, string cacheFolder, Func<Device, WorkKind, double> measure, Func<bool>? isBusy = null)
    {
        ArgumentNullException.ThrowIfNull(precision);
        ArgumentNullException.ThrowIfNull(device);
        if (precision != Auto)
        {
            return Available(Check("precision", precision), device, "as the recipe says.");
        }
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } wanted && wanted != Auto)
        {
            return Available(Check(Variable, wanted), device, $"as {Variable} says.");
        }
        if (Unavailable(device) is { } reason)
        {
            return new(Float32, reason);
        }
        var (speedUp, source) = Measured(device, kind, cacheFolder, measure, isBusy);
        var sentence = string.Create(CultureInfo.InvariantCulture, $"bfloat16 runs {WorkKinds.Name(kind)} {speedUp:0.0} times as fast as float32 on this {Devices.NameOf(device)} ({source}).");
        return new(speedUp > ClearlyFaster ? BFloat16Mixed : Float32, sentence);
    }

    private static string Check(string from, string name) => Fixed.Contains(name)
        ? name
        : throw new OptionsException(nameof(PrecisionPolicy), [$"{from} '{name}' is not known. {NearestName.Suggest(name, [.. Fixed, Auto])}"]);

    private static ComputePrecision Available(string name, Device device, string reason)
        => name != Float32 && Unavailable(device) is { } why ? new(Float32, $"{name} was asked for, but {why}") : new(name, $"{name}, {reason}");

    private static string? Unavailable(Device device)
        => device.type is not (DeviceType.CPU or DeviceType.CUDA) ? $"mixed precision is offered on CPU and CUDA only, not on {device.type}."
        : Autocast.UnavailableReason is { } reason ? $"mixed precision is not available: {reason}"
        : null;

    private static (double SpeedUp, string Source) Measured(Device device, WorkKind kind, string cacheFolder, Func<Device, WorkKind, double> measure, Func<bool>? isBusy)
    {
        var key = Key(device);
        var file = Path.Combine(cacheFolder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16] + ".txt");
        var speedUps = Read(file, key);
        if (speedUps.TryGetValue(kind, out var known))
        {
            return (known, "measured before on this machine");
        }
        var isCalm = isBusy?.Invoke() != true;
        speedUps[kind] = measure(device, kind); // the others when a run needs them
        if (!isCalm)
        {
            return (speedUps[kind], "measured now, while others used the machine; the next run measures again");
        }
        return (speedUps[kind], Remember(file, key, speedUps) ? "measured now" : $"measured now; '{cacheFolder}' cannot be written, so the next run measures again");
    }

    /// <summary>All that a measurement depends on: another processor, libtorch, Nabla or way of measuring measures anew.</summary>
    private static string Key(Device device)
    {
        var processor = ProcessorFeatures.Current.Key;
        var machine = device.type == DeviceType.CPU ? processor : $"{Devices.NameOf(device)}|{processor}";
        return $"{machine}|torch {torch.__version__}|nabla {typeof(PrecisionPolicy).Assembly.GetName().Version}|measurement {PrecisionBenchmark.Version}";
    }

    /// <summary>The machine, then a line for each kind of work that was measured with its ratio. Anything else counts as not measured.</summary>
    private static SortedDictionary<WorkKind, double> Read(string file, string key)
    {
        var ratios = new SortedDictionary<WorkKind, double>();
        try
        {
            if (File.Exists(file) && File.ReadAllLines(file) is [var machine, .. var lines] && machine == key)
            {
                foreach (var line in lines)
                {
                    if (line.Split(' ') is [var name, var number] && Enum.TryParse<WorkKind>(name, out var kind)
                        && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) && ratio > 0)
                    {
                        ratios[kind] = ratio;
                    }
                }
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            ratios.Clear(); // as good as not there
        }
        return ratios;
    }

    private static bool Remember(string file, string key, SortedDictionary<WorkKind, double> speedUps)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            string[] lines = [key, .. speedUps.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Key} {part.Value:r}"))];
            AtomicFile.WriteText(file, string.Join('\n', lines));
            return true;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return false; // a service account may have no writable home: the measurement still holds for this run
        }
    }
}
