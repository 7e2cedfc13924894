using System.Diagnostics;
using System.Text.Json;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>One operation of the native library that ran.</summary>
/// <param name="Name">Its name, such as <c>aten::linear</c>.</param>
/// <param name="Start">When it began, from <see cref="OperationProfiler.StartTimestamp"/>.</param>
/// <param name="Duration">How long it ran, the operations inside it included.</param>
public readonly record struct OperationEvent(string Name, TimeSpan Start, TimeSpan Duration);

/// <summary>
/// Notes every operation that the native library runs for the calling thread, its backward passes on the CPU included. Costs about a
/// microsecond an operation. Use it on one thread; dispose it there.
/// </summary>
public sealed class OperationProfiler : IDisposable
{
    private readonly string _file;
    private nint _recorder;

    private OperationProfiler(string file)
    {
        (_file, _recorder) = (file, ProfilerExports.Current!.Start(file));
        // The recorder's clock starts somewhere inside the call above; an operation at a known time says where.
        using var number = torch.zeros(1);
        StartTimestamp = Stopwatch.GetTimestamp();
        using var mark = number.neg();
    }

    /// <summary>The <see cref="Stopwatch"/> timestamp that starts are counted from.</summary>
    public long StartTimestamp { get; }

    /// <summary>Whether the loaded libtorch offers it to this program.</summary>
    public static bool IsAvailable => ProfilerExports.Current is not null;

    /// <summary>Begins to note.</summary>
    /// <exception cref="NativeLibraryException">It is not available.</exception>
    public static OperationProfiler Start() => IsAvailable
        ? new(Path.Combine(Path.GetTempPath(), $"nabla-operations-{Guid.NewGuid():N}.json"))
        : throw new NativeLibraryException("Operations cannot be profiled: this libtorch does not export RecordProfile. Profile layers only.");

    /// <summary>Ends the noting.</summary>
    /// <returns>The operations in the order of their starts; one that lies inside another is inside its time.</returns>
    public IReadOnlyList<OperationEvent> Stop()
    {
        End();
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(_file));
            List<OperationEvent> events = [];
            foreach (var entry in document.RootElement.EnumerateArray())
            {
                if (entry.TryGetProperty("ph", out var phase) && phase.ValueEquals("X"))
                {
                    events.Add(new(
                        entry.GetProperty("name").GetString()!,
                        TimeSpan.FromMicroseconds(entry.GetProperty("ts").GetDouble()),
                        TimeSpan.FromMicroseconds(entry.GetProperty("dur").GetDouble())));
                }
            }
            var mark = events.First(e => e.Name == "aten::neg");
            events = [.. events.Where(e => e.Start > mark.Start).Select(e => e with { Start = e.Start - mark.Start })];
            events.Sort((left, right) => left.Start != right.Start ? left.Start.CompareTo(right.Start) : right.Duration.CompareTo(left.Duration));
            return events;
        }
        finally
        {
            File.Delete(_file);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_recorder != 0)
        {
            End();
            File.Delete(_file);
        }
    }

    private void End()
    {
        ObjectDisposedException.ThrowIf(_recorder == 0, this);
        ProfilerExports.Current!.Stop(_recorder);
        _recorder = 0;
    }
}
