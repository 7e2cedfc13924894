using System.Diagnostics;
using System.Text.Json;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>Writes a timeline in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing show.</summary>
internal static class ChromeTrace
{
    private const int PhaseRow = 1, LayerRow = 2, OperationRow = 3;

    public static void Write(Stream stream, long start, IReadOnlyList<PhaseSpan> phases, LayerClock layers, long operationsStart, IReadOnlyList<OperationEvent> operations)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartArray("traceEvents");
        foreach (var (row, name) in new[] { (PhaseRow, "step"), (LayerRow, "layers"), (OperationRow, "operations") })
        {
            Begin(json, "thread_name", "M", row);
            json.WriteStartObject("args");
            json.WriteString("name", name);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        foreach (var phase in phases)
        {
            Span(json, phase.Name, PhaseRow, Microseconds(phase.Start - start), Microseconds(phase.End - phase.Start));
        }
        foreach (var span in layers.Spans)
        {
            var (path, module) = layers.Layers[span.Layer];
            var name = $"{(path.Length == 0 ? module.GetType().Name : path)}{(span.IsBackward ? " backward" : "")}";
            Span(json, name, LayerRow, Microseconds(span.Start - start), Microseconds(span.End - span.Start));
        }
        foreach (var operation in operations)
        {
            Span(json, operation.Name, OperationRow, Microseconds(operationsStart - start) + operation.Start.TotalMicroseconds, operation.Duration.TotalMicroseconds);
        }
        foreach (var (time, bytes) in layers.Memory)
        {
            Begin(json, "live memory", "C", 0);
            json.WriteNumber("ts", Microseconds(time - start));
            json.WriteStartObject("args");
            json.WriteNumber("bytes", bytes);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Span(Utf8JsonWriter json, string name, int row, double start, double duration)
    {
        Begin(json, name, "X", row);
        json.WriteNumber("ts", start);
        json.WriteNumber("dur", duration);
        json.WriteEndObject();
    }

    private static void Begin(Utf8JsonWriter json, string name, string phase, int row)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("ph", phase);
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", row);
    }

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;
}
