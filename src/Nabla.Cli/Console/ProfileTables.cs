using System.Globalization;
using Nabla.Training;

namespace Nabla.Cli;

/// <summary>Shows a profile on the console.</summary>
internal static class ProfileTables
{
    private const int Rows = 15;

    /// <summary>Writes the parts of the step, the layers and the operations.</summary>
    /// <param name="profile">The profile; null when training ended before a profiled step.</param>
    /// <param name="folder">The run folder, which holds the timeline.</param>
    /// <param name="writer">Takes the text.</param>
    public static void Write(ProfileReport? profile, string folder, TextWriter writer)
    {
        if (profile is null)
        {
            writer.WriteLine("Nothing was profiled: training ended within the warm-up. Train for more steps.");
            return;
        }
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Profile of {profile.Steps} steps: {ProfileText.Time(profile.Milliseconds / profile.Steps)} ms each, {ProfileText.Share(profile.LoaderWaitShare)} waiting for the loader, {ProfileText.Bytes(profile.PeakBytes)} of native memory at most"));
        writer.WriteLine();
        var phases = new TextTable("part", ">ms a step", ">share");
        foreach (var phase in profile.Phases)
        {
            phases.Add(phase.Name, ProfileText.Time(phase.Milliseconds / profile.Steps), ProfileText.Share(phase.Share));
        }
        phases.WriteTo(writer);
        writer.WriteLine();
        writer.WriteLine(ProfileText.Caption("Layers", Rows, profile.Layers.Count));
        var layers = new TextTable("layer", "class", ">forward", ">backward", ">own", ">share", ">kept", ">peak");
        foreach (var layer in profile.Layers.Take(Rows))
        {
            layers.Add(
                ProfileText.Name(layer), layer.Type, ProfileText.Time(layer.ForwardMilliseconds / profile.Steps), ProfileText.Time(layer.BackwardMilliseconds / profile.Steps),
                ProfileText.Time(layer.SelfMilliseconds / profile.Steps), ProfileText.Share(layer.SelfShare), ProfileText.Bytes(layer.KeptBytes), ProfileText.Bytes(layer.PeakBytes));
        }
        layers.WriteTo(writer);
        if (profile.Operations.Count > 0)
        {
            writer.WriteLine();
            writer.WriteLine(ProfileText.Caption("Operations", Rows, profile.Operations.Count));
            var operations = new TextTable("operation", ">calls a step", ">own ms a step", ">share");
            foreach (var operation in profile.Operations.Take(Rows))
            {
                operations.Add(
                    operation.Name, ((double)operation.Calls / profile.Steps).ToString("0.#", CultureInfo.InvariantCulture),
                    ProfileText.Time(operation.SelfMilliseconds / profile.Steps), ProfileText.Share(operation.SelfShare));
            }
            operations.WriteTo(writer);
        }
        writer.WriteLine();
        writer.WriteLine($"{"timeline",-24} {Path.Combine(folder, "trace.json")} (open it in ui.perfetto.dev)");
    }
}
