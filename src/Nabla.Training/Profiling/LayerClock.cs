using System.Diagnostics;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>A stretch of time in which a layer ran.</summary>
/// <param name="Layer">Number of the layer.</param>
/// <param name="IsBackward">Whether it was its backward pass.</param>
/// <param name="Start">Stopwatch timestamp.</param>
/// <param name="End">Stopwatch timestamp.</param>
/// <param name="InsideTicks">How much of it other layers ran inside.</param>
/// <param name="GrownBytes">By how much live memory grew.</param>
/// <param name="PeakBytes">Most live memory seen.</param>
internal readonly record struct LayerSpan(int Layer, bool IsBackward, long Start, long End, long InsideTicks, long GrownBytes, long PeakBytes);

/// <summary>
/// Times the forward and backward passes of all modules of a tree: forward by hooks, backward by taps on what goes in and out. A layer
/// whose input needs no gradient, such as an embedding, ends its backward pass when the next layer's begins.
/// </summary>
internal sealed class LayerClock : IModuleObserver, IDisposable
{
    private readonly List<(string Path, Module Module)> _layers = [];
    private readonly Dictionary<Module, int> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly List<LayerSpan> _spans = [];
    private readonly List<(long Time, long Bytes)> _memory = [];
    private readonly Stack<OpenSpan> _open = new();
    private readonly ModuleHooks _hooks;

    public LayerClock(Module root)
    {
        foreach (var (path, module) in root.named_modules().Prepend(("", root)))
        {
            if (_numbers.TryAdd(module, _layers.Count))
            {
                _layers.Add((path, module));
            }
        }
        _hooks = new(_numbers.Keys, this);
    }

    /// <summary>Path and class of each layer.</summary>
    public IReadOnlyList<(string Path, Module Module)> Layers => _layers;

    public IReadOnlyList<LayerSpan> Spans => _spans;

    /// <summary>Live memory at each border of a layer.</summary>
    public IReadOnlyList<(long Time, long Bytes)> Memory => _memory;

    public Tensor? Before(Module module, Tensor? input)
    {
        var layer = _numbers[module];
        // The border of the backward pass lies inside the layer's time, so that what it costs is not the caller's.
        Begin(layer, isBackward: false);
        return Tap(input, () => Finish(layer, isBackward: true));
    }

    public Tensor? After(Module module, Tensor? output)
    {
        var layer = _numbers[module];
        var tapped = Tap(output, () => Begin(layer, isBackward: true));
        Finish(layer, isBackward: false);
        return tapped;
    }

    /// <summary>The backward pass has ended: what is still open ends too.</summary>
    public void EndBackward()
    {
        while (_open.Count > 0)
        {
            Close(Stopwatch.GetTimestamp(), ReadMemory());
        }
    }

    public void Dispose() => _hooks.Dispose();

    private static Tensor? Tap(Tensor? x, Action passed) => x is { requires_grad: true } && is_grad_enabled() ? ProfileTap.Put(x, passed) : x;

    private void Begin(int layer, bool isBackward)
    {
        var (now, live) = (Stopwatch.GetTimestamp(), ReadMemory());
        while (_open.TryPeek(out var top) && top.IsBackward && !Contains(top.Layer, layer))
        {
            Close(now, live);
        }
        _open.Push(new(layer, isBackward, now, live));
    }

    private void Finish(int layer, bool isBackward)
    {
        if (!_open.Any(span => span.Layer == layer && span.IsBackward == isBackward))
        {
            return;
        }
        var (now, live) = (Stopwatch.GetTimestamp(), ReadMemory());
        while (true)
        {
            var top = _open.Peek();
            Close(now, live);
            if (top.Layer == layer && top.IsBackward == isBackward)
            {
                return;
            }
        }
    }

    private void Close(long now, long live)
    {
        var span = _open.Pop();
        var peak = Math.Max(span.PeakBytes, live);
        _spans.Add(new(span.Layer, span.IsBackward, span.Start, now, span.InsideTicks, live - span.StartBytes, peak));
        if (_open.TryPeek(out var outer))
        {
            outer.InsideTicks += now - span.Start;
            outer.PeakBytes = Math.Max(outer.PeakBytes, peak);
        }
    }

    /// <summary>Whether a layer lies inside another, or is it (a recomputed layer runs forward inside its own backward pass).</summary>
    private bool Contains(int outer, int inner)
    {
        var (path, within) = (_layers[outer].Path, _layers[inner].Path);
        return path.Length == 0 || within == path || within.StartsWith(path + ".", StringComparison.Ordinal);
    }

    private long ReadMemory()
    {
        var live = ProcessMemory.Live;
        _memory.Add((Stopwatch.GetTimestamp(), live));
        return live;
    }

    private sealed class OpenSpan(int layer, bool isBackward, long start, long startBytes)
    {
        public int Layer { get; } = layer;

        public bool IsBackward { get; } = isBackward;

        public long Start { get; } = start;

        public long StartBytes { get; } = startBytes;

        public long InsideTicks { get; set; }

        public long PeakBytes { get; set; } = startBytes;
    }
}
