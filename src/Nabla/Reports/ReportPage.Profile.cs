using System.Globalization;

namespace Nabla;

internal sealed partial class ReportPage
{
    private const int ProfileRows = 25;

    private void WriteProfile()
    {
        if (data.Profile is not { } profile)
        {
            return;
        }
        Begin("profile", "Where the time goes", string.Create(
            CultureInfo.InvariantCulture,
            $"{profile.Steps} steps after warm-up took {profile.Milliseconds / profile.Steps:0.0} ms each; native code held {ProfileText.Bytes(profile.PeakBytes)} at most. The timeline is in trace.json (open it in ui.perfetto.dev)."));
        BeginTable("Parts of the step", "numbers scores");
        _html.Write($"""<thead><tr><th scope="col">part</th><th scope="col">ms a step</th><th scope="col">share</th></tr></thead><tbody>""");
        foreach (var phase in profile.Phases)
        {
            _html.Write($"""<tr><th scope="row">{phase.Name}</th><td>{ProfileText.Time(phase.Milliseconds / profile.Steps)}</td><td>{ProfileText.Share(phase.Share)}""");
            WriteBar(phase.Share);
            _html.Write($"</td></tr>");
        }
        _html.Write($"</tbody>");
        EndTable();
        BeginTable(ProfileText.Caption("Layers", ProfileRows, profile.Layers.Count), "numbers scores");
        _html.Write($"""<thead><tr><th scope="col">layer</th><th scope="col">class</th><th scope="col">forward, ms a step</th><th scope="col">backward, ms a step</th><th scope="col">own time</th><th scope="col">kept</th><th scope="col">peak</th></tr></thead><tbody>""");
        foreach (var layer in profile.Layers.Take(ProfileRows))
        {
            _html.Write($"""<tr><th scope="row">{ProfileText.Name(layer)}</th><td>{layer.Type}</td><td>{ProfileText.Time(layer.ForwardMilliseconds / profile.Steps)}</td><td>{ProfileText.Time(layer.BackwardMilliseconds / profile.Steps)}</td><td>{ProfileText.Share(layer.SelfShare)}""");
            WriteBar(layer.SelfShare);
            _html.Write($"</td><td>{ProfileText.Bytes(layer.KeptBytes)}</td><td>{ProfileText.Bytes(layer.PeakBytes)}</td></tr>");
        }
        _html.Write($"</tbody>");
        EndTable();
        if (profile.Operations.Count > 0)
        {
            BeginTable(ProfileText.Caption("Operations", ProfileRows, profile.Operations.Count), "numbers scores");
            _html.Write($"""<thead><tr><th scope="col">operation</th><th scope="col">calls a step</th><th scope="col">own ms a step</th><th scope="col">share</th></tr></thead><tbody>""");
            foreach (var operation in profile.Operations.Take(ProfileRows))
            {
                _html.Write($"""<tr><th scope="row">{operation.Name}</th><td>{(double)operation.Calls / profile.Steps}</td><td>{ProfileText.Time(operation.SelfMilliseconds / profile.Steps)}</td><td>{ProfileText.Share(operation.SelfShare)}""");
                WriteBar(operation.SelfShare);
                _html.Write($"</td></tr>");
            }
            _html.Write($"</tbody>");
            EndTable();
        }
        End();
    }
}
