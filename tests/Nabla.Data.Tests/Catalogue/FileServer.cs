using System.Net;
using System.Net.Http.Headers;

namespace Nabla.Data.Tests;

/// <summary>A server in the process: answers requests for one file the way a test tells it to.</summary>
internal sealed class FileServer(byte[] content) : HttpMessageHandler
{
    /// <summary>What each request asked for: the first byte wanted, and the If-Range tag.</summary>
    public List<(long? From, string? IfRange)> Requests { get; } = [];

    /// <summary>Bytes after which a connection breaks, one for each request; a request beyond the list is served whole.</summary>
    public Queue<int> BreakAfter { get; } = new();

    /// <summary>Status codes to answer first.</summary>
    public Queue<HttpStatusCode> Refuse { get; } = new();

    public bool IgnoresRange { get; init; }

    public string? Tag { get; set; } = "\"v1\"";

    public Action? OnRequest { get; set; }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var from = request.Headers.Range?.Ranges.Single().From;
        var ifRange = request.Headers.IfRange?.EntityTag?.Tag;
        Requests.Add((from, ifRange));
        OnRequest?.Invoke();
        if (Refuse.TryDequeue(out var status))
        {
            return Task.FromResult(new HttpResponseMessage(status));
        }
        var partial = from is not null && !IgnoresRange && (ifRange is null || ifRange == Tag);
        if (partial && from >= content.Length)
        {
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.RequestedRangeNotSatisfiable));
        }
        var start = partial ? (int)from!.Value : 0;
        var body = new BreakingStream(content[start..], BreakAfter.TryDequeue(out var count) ? count : int.MaxValue);
        var response = new HttpResponseMessage(partial ? HttpStatusCode.PartialContent : HttpStatusCode.OK) { Content = new StreamContent(body) };
        if (partial)
        {
            response.Content.Headers.ContentRange = new(start, content.Length - 1, content.Length);
        }
        response.Headers.ETag = Tag is null ? null : new EntityTagHeaderValue(Tag);
        return Task.FromResult(response);
    }

    /// <summary>Gives small pieces, and an error instead of the end when it breaks.</summary>
    private sealed class BreakingStream(byte[] content, int breakAfter) : MemoryStream(content)
    {
        public override int Read(Span<byte> buffer)
        {
            if (Position >= breakAfter)
            {
                throw new IOException("connection reset");
            }
            return base.Read(buffer[..Math.Min(buffer.Length, Math.Min(100, breakAfter - (int)Position))]);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new(Read(buffer.Span));
        }
    }
}

/// <summary>A clock on which short waits are over at once and long ones (time-outs) never.</summary>
internal sealed class HurriedTime : TimeProvider
{
    public List<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.FromSeconds(50) || dueTime < TimeSpan.Zero)
        {
            return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        Waits.Add(dueTime);
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
