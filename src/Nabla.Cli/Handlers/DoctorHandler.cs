using System.Text.Json.Nodes;
using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Examines the machine.</summary>
internal static class DoctorHandler
{
    /// <summary>Prints every check; those that are not right come with what to do.</summary>
    public static Task<VerbResult> RunAsync(DoctorRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var checks = Doctor.Examine();
        var area = "";
        foreach (var check in checks)
        {
            if (check.Area != area)
            {
                area = check.Area;
                output.Out.WriteLine(area);
            }
            var mark = check.Status switch { DoctorStatus.Good => "ok  ", DoctorStatus.Warning => "warn", _ => "FAIL" };
            output.Out.WriteLine($"  {mark}  {check.Name}: {check.Value}");
            if (check.Remedy is not null)
            {
                output.Out.WriteLine($"        -> {check.Remedy}");
            }
        }
        var healthy = checks.All(check => check.Status != DoctorStatus.Error);
        output.Out.WriteLine(healthy ? "Nabla can work on this machine." : "Nabla cannot work on this machine yet; see the lines marked FAIL.");
        return Task.FromResult(new VerbResult(
            new JsonObject
            {
                ["healthy"] = healthy,
                ["checks"] = new JsonArray([.. checks.Select(check => new JsonObject
                {
                    ["area"] = check.Area,
                    ["name"] = check.Name,
                    ["value"] = check.Value,
                    ["status"] = check.Status switch { DoctorStatus.Good => "good", DoctorStatus.Warning => "warning", _ => "error" },
                    ["remedy"] = check.Remedy,
                })]),
            },
            healthy ? ExitCode.Done : ExitCode.Failed));
    }
}
