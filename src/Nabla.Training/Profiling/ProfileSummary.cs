using System.Diagnostics;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>Sums a profile up.</summary>
internal static class ProfileSummary
{
    public static ProfileReport Of(int steps, long start, long end, IReadOnlyList<PhaseSpan> phases, LayerClock layers, IReadOnlyList<OperationEvent> operations)
    {
        var total = Milliseconds(end - start);
        var parts = Phases(phases, total);
        return new()
        {
            Steps = steps,
            Milliseconds = total,
            LoaderWaitShare = parts.Where(part => part.Name == ProfilePhases.LoaderWait).Sum(part => part.Share),
            PeakBytes = layers.Memory.Count == 0 ? 0 : layers.Memory.Max(sample => sample.Bytes),
            Phases = parts,
            Layers = Layers(layers, total),
            Operations = Operations(operations, total),
        };
    }

    private static List<ProfiledPhase> Phases(IReadOnlyList<PhaseSpan> spans, double total)
    {
        var parts = spans.GroupBy(span => span.Name)
            .Select(group => Phase(group.Key, group.Count(), group.Sum(span => Milliseconds(span.End - span.Start))))
            .ToList();
        parts.Add(Phase(ProfilePhases.Other, 1, Math.Max(0, total - parts.Sum(part => part.Milliseconds))));
        return [.. parts.OrderByDescending(part => part.Milliseconds)];

        ProfiledPhase Phase(string name, int calls, double time) => new(name, calls, time, time / total);
    }

    private static List<ProfiledLayer> Layers(LayerClock clock, double total)
    {
        List<ProfiledLayer> layers = [];
        foreach (var group in clock.Spans.GroupBy(span => span.Layer))
        {
            var (path, module) = clock.Layers[group.Key];
            var (forward, backward) = (group.Where(span => !span.IsBackward).ToList(), group.Where(span => span.IsBackward).ToList());
            var self = group.Sum(span => Milliseconds(span.End - span.Start - span.InsideTicks));
            layers.Add(new(
                path, module.GetType().Name, forward.Count,
                forward.Sum(span => Milliseconds(span.End - span.Start)), backward.Sum(span => Milliseconds(span.End - span.Start)),
                self, self / total, forward.Count == 0 ? 0 : (long)forward.Average(span => span.GrownBytes), group.Max(span => span.PeakBytes)));
        }
        return [.. layers.OrderByDescending(layer => layer.SelfMilliseconds).ThenBy(layer => layer.Path, StringComparer.Ordinal)];
    }

    private static List<ProfiledOperation> Operations(IReadOnlyList<OperationEvent> events, double total)
    {
        var inside = new TimeSpan[events.Count];
        var open = new Stack<int>();
        for (var i = 0; i < events.Count; i++)
        {
            while (open.TryPeek(out var top) && events[top].Start + events[top].Duration <= events[i].Start)
            {
                open.Pop();
            }
            if (open.TryPeek(out var outer))
            {
                inside[outer] += events[i].Duration;
            }
            open.Push(i);
        }
        return [.. events.Select((entry, i) => (entry.Name, entry.Duration, Self: entry.Duration - inside[i]))
            .GroupBy(entry => entry.Name)
            .Select(group =>
            {
                var self = Math.Max(0, group.Sum(entry => entry.Self.TotalMilliseconds));
                return new ProfiledOperation(group.Key, group.Count(), group.Sum(entry => entry.Duration.TotalMilliseconds), self, self / total);
            })
            .OrderByDescending(operation => operation.SelfMilliseconds).ThenBy(operation => operation.Name, StringComparer.Ordinal)];
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
