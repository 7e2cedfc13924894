using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Nabla.Benchmarks;
using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Measures speed.</summary>
internal static class BenchHandler
{
    private const string AllSuites = "all";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Runs the suites, prints their table, and writes the files that were asked for.</summary>
    /// <exception cref="UsageException">A folder that should take a file is not there.</exception>
    public static async Task<VerbResult> RunAsync(BenchRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        if (request.Side is { } side)
        {
            var peak = await OnOwnThread(() => BenchmarkRunner.PeakMemoryOf(request.Workloads[0], side, request.Precision ?? PrecisionPolicy.Auto, request.Threads), cancellationToken).ConfigureAwait(false);
            output.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{peak / 1e6:0} MB"));
            return new(new JsonObject { ["workload"] = request.Workloads[0], ["side"] = side, ["peak_bytes"] = peak });
        }
        RequireFolder("--out", request.OutputFile);
        RequireFolder("--plot", request.PlotFile);
        BenchmarkOptions defaults = new();
        BenchmarkOptions options = defaults with
        {
            Suites = request.Suites.Count == 0 ? defaults.Suites : request.Suites.Contains(AllSuites) ? BenchmarkRunner.Suites : request.Suites,
            Workloads = request.Workloads.Count == 0 ? null : request.Workloads,
            Rounds = request.Rounds ?? defaults.Rounds,
            Threads = request.Threads,
            Precision = request.Precision ?? defaults.Precision,
            Device = request.Device ?? defaults.Device,
            Memory = !request.SkipMemory,
        };
        var report = await OnOwnThread(() => BenchmarkRunner.Run(options, output.Error.WriteLine, cancellationToken), cancellationToken).ConfigureAwait(false);
        Write(report, output);
        var json = report.ToJson();
        if (request.OutputFile is { } file)
        {
            AtomicFile.WriteText(file, json.ToJsonString(Indented) + "\n");
        }
        if (request.PlotFile is { } plot)
        {
            AtomicFile.WriteText(plot, report.ToSvg() + "\n");
        }
        return new(json, request.Check && !report.Holds ? ExitCode.Failed : ExitCode.Done);
    }

    /// <summary>Scopes and gradient modes belong to a thread, so a measurement has one of its own.</summary>
    private static Task<T> OnOwnThread<T>(Func<T> work, CancellationToken cancellationToken)
        => Task.Factory.StartNew(work, cancellationToken, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private static void RequireFolder(string option, string? file)
    {
        if (file is not null && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
        {
            throw new UsageException($"{option}: expected a file in a folder that exists, got '{file}'. Make the folder '{folder}' first.");
        }
    }

    private static void Write(BenchmarkReport report, CommandOutput output)
    {
        var machine = report.Machine;
        output.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{machine.Processor.Name} ({machine.Processor.Flags}), {machine.Threads} threads, {machine.Device}; goals of the column \"{report.Column}\", the other column is not run here."));
        output.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Peak: {machine.Float32Peak / machine.Units / 1e9:0.0} float32 and {machine.BFloat16Peak / machine.Units / 1e9:0.0} bfloat16 GMAC/s{(machine.Device == "cpu" ? " a core" : "")} (1 multiply-add = 2 FLOP); memory {machine.TriadBandwidth / 1e9:0.0} GB/s."));
        output.Out.WriteLine();
        TextTable table = new("suite", "workload", ">ratio", ">low", ">high", ">of peak", ">reference", ">nabla", "precision", "must / aim", "holds", "description");
        foreach (var row in report.Rows)
        {
            table.Add(
                row.Suite, row.Workload, Ratio(row.Ratio), Ratio(row.Low), Ratio(row.High),
                row.ShareOfPeak?.ToString("0.0%", CultureInfo.InvariantCulture),
                Amount(row.ReferenceSeconds, row.ReferenceMemoryBytes, null, null), Amount(row.Seconds, row.MemoryBytes, row.Value, row.Unit),
                row.Precision, string.Join(", ", row.Goals), row.Holds switch { true => "yes", false => "NO", null => "" }, $"{row.Description}{(row.RatioOf.Length > 0 && row.RatioOf != "speed-up" ? $" ({row.RatioOf})" : "")}");
        }
        table.WriteTo(output.Out);
    }

    private static string? Ratio(double? ratio) => ratio?.ToString("0.00", CultureInfo.InvariantCulture);

    private static string? Amount(double? seconds, long? bytes, double? value, string? unit)
        => value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{number:G4} {unit}")
        : bytes is { } memory ? string.Create(CultureInfo.InvariantCulture, $"{memory / 1e6:0} MB")
        : seconds is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time * 1e3:G4} ms")
        : null;
}
