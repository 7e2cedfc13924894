using System.Net;
using System.Security.Cryptography;
using Nabla.Core;

namespace Nabla.Data.Tests;

public class DataPullerTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * i))];

    private static CatalogueEntry Entry(byte[]? content = null, Uri? url = null) => new()
    {
        Name = "tiny",
        Title = "Tiny",
        Task = DataTask.LanguageModeling,
        Licence = "MIT",
        Splits = ["train"],
        Card = new() { Description = "d", Source = "s", Problems = [], NotFor = [] },
        Files =
        [
            new()
            {
                Name = "a.bin",
                Size = (content ?? Content).Length,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(content ?? Content)),
                Url = url ?? new("https://example.invalid/a.bin"),
            },
        ],
    };

    private static async Task<PullResult> PullAsync(HttpMessageHandler server, TempFolder folder, HurriedTime? time = null, IProgress<PullProgress>? progress = null, CatalogueEntry? entry = null, CancellationToken cancellationToken = default)
    {
        using var puller = new DataPuller(handler: server, time: time ?? new());
        return await puller.PullAsync(entry ?? Entry(), folder.Path, progress, cancellationToken);
    }

    private static string[] Files(TempFolder folder) => [.. Directory.GetFiles(Path.Combine(folder.Path, "tiny")).Select(path => Path.GetFileName(path)).Order()];

    private static void AssertComplete(TempFolder folder)
    {
        Assert.Equal(["a.bin"], Files(folder));
        Assert.Equal(Content, File.ReadAllBytes(Path.Combine(folder.Path, "tiny", "a.bin")));
    }

    [Fact]
    public async Task PullAsync_NothingThere_FetchesAndSecondTimeKeeps()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        var result = await PullAsync(server, folder);
        AssertComplete(folder);
        Assert.Equal(["a.bin"], result.Fetched);
        Assert.Equal(1000, result.Bytes);

        var again = await PullAsync(server, folder);
        Assert.Equal(["a.bin"], again.Kept);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task PullAsync_ConnectionsBreak_ResumesWithTheTag()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        server.BreakAfter.Enqueue(300);
        server.BreakAfter.Enqueue(450);
        var result = await PullAsync(server, folder);
        AssertComplete(folder);
        Assert.Equal([null, 300, 750], server.Requests.Select(request => request.From));
        Assert.Equal(1000, result.Bytes);
    }

    [Fact]
    public async Task PullAsync_PartFromBefore_IsContinued()
    {
        using var folder = new TempFolder();
        folder.Write("tiny/a.bin.part", Content[..400]);
        var server = new FileServer(Content);
        var result = await PullAsync(server, folder);
        AssertComplete(folder);
        Assert.Equal([400], server.Requests.Select(request => request.From));
        Assert.Equal(600, result.Bytes);
    }

    [Fact]
    public async Task PullAsync_WholePartFromBefore_NeedsNoRequest()
    {
        using var folder = new TempFolder();
        folder.Write("tiny/a.bin.part", Content);
        var server = new FileServer(Content);
        await PullAsync(server, folder);
        AssertComplete(folder);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(1000)]
    [InlineData(1200)]
    public async Task PullAsync_WrongPartFromBefore_StartsOverOnce(int length)
    {
        using var folder = new TempFolder();
        folder.Write("tiny/a.bin.part", new byte[length]);
        var server = new FileServer(Content);
        await PullAsync(server, folder);
        AssertComplete(folder);
        Assert.Null(server.Requests[^1].From);
    }

    [Fact]
    public async Task PullAsync_ServerIgnoresRange_StartsFromZero()
    {
        using var folder = new TempFolder();
        folder.Write("tiny/a.bin.part", Content[..400]);
        await PullAsync(new FileServer(Content) { IgnoresRange = true }, folder);
        AssertComplete(folder);
    }

    [Fact]
    public async Task PullAsync_ContentChangesWhileResuming_SendsTheTagAndStartsOver()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        server.BreakAfter.Enqueue(300);
        server.OnRequest = () => server.Tag = server.Requests.Count == 1 ? "\"old\"" : "\"new\"";
        await PullAsync(server, folder);
        AssertComplete(folder);
        Assert.Equal([(null, null), (300L, "\"old\"")], server.Requests);
    }

    [Fact]
    public async Task PullAsync_WrongContent_KeepsNothingAndSaysBothHashes()
    {
        using var folder = new TempFolder();
        var error = await Assert.ThrowsAsync<DownloadException>(() => PullAsync(new FileServer(new byte[1000]), folder));
        Assert.Contains($"expected SHA-256 {Entry().Files[0].Sha256} (1000 bytes), got 541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53", error.Message, StringComparison.Ordinal);
        Assert.Empty(Files(folder));
    }

    [Fact]
    public async Task PullAsync_MoreThanExpected_KeepsNothing()
    {
        using var folder = new TempFolder();
        var error = await Assert.ThrowsAsync<DownloadException>(() => PullAsync(new FileServer([.. Content, 1]), folder));
        Assert.Contains("the server sends more", error.Message, StringComparison.Ordinal);
        Assert.Empty(Files(folder));
    }

    [Fact]
    public async Task PullAsync_AlwaysTooShort_GivesUpAndKeepsThePart()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content[..700]) { Tag = null };
        var error = await Assert.ThrowsAsync<DownloadException>(() => PullAsync(server, folder));
        Assert.Contains("given up after", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a.bin", Files(folder));
    }

    [Fact]
    public async Task PullAsync_ServerBusy_WaitsLongerEachTime()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        foreach (var status in new[] { HttpStatusCode.ServiceUnavailable, HttpStatusCode.TooManyRequests, HttpStatusCode.BadGateway })
        {
            server.Refuse.Enqueue(status);
        }
        var time = new HurriedTime();
        await PullAsync(server, folder, time);
        AssertComplete(folder);
        Assert.Equal([1, 2, 4], time.Waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
    public async Task PullAsync_ServerBusyForGood_GivesUpAfterFiveTries()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        for (var i = 0; i < 9; i++)
        {
            server.Refuse.Enqueue(HttpStatusCode.InternalServerError);
        }
        var error = await Assert.ThrowsAsync<DownloadException>(() => PullAsync(server, folder));
        Assert.Contains("given up after 5 tries: the server answered 500", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task PullAsync_NotFound_FailsAtOnce()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        server.Refuse.Enqueue(HttpStatusCode.NotFound);
        var error = await Assert.ThrowsAsync<DownloadException>(() => PullAsync(server, folder));
        Assert.Contains("https://example.invalid/a.bin: the server answered 404", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task PullAsync_DescriptionNotFound_IsSkippedWithTheReason()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        var file = Entry().Files[0];
        var entry = Entry() with { Files = [file with { Name = "a.names", IsDocumentation = true }, file] };
        server.OnRequest = () =>
        {
            if (server.Requests.Count == 2) // the description comes last
            {
                server.Refuse.Enqueue(HttpStatusCode.NotFound);
            }
        };
        var result = await PullAsync(server, folder, entry: entry);
        AssertComplete(folder);
        Assert.StartsWith("a.names: https://example.invalid/a.bin: the server answered 404", Assert.Single(result.Skipped), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PullAsync_Cancelled_LeavesOnlyThePart()
    {
        using var folder = new TempFolder();
        using var cancel = new CancellationTokenSource();
        var progress = new Callback(state =>
        {
            if (state.FileBytes > 0)
            {
                cancel.Cancel();
            }
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync(new FileServer(Content), folder, progress: progress, cancellationToken: cancel.Token));
        Assert.Equal(["a.bin.part"], Files(folder));
        Assert.Equal(Content[..100], File.ReadAllBytes(Path.Combine(folder.Path, "tiny", "a.bin.part")));

        await PullAsync(new FileServer(Content), folder);
        AssertComplete(folder);
    }

    [Fact]
    public async Task PullAsync_FileWithWrongHashThere_IsReplaced()
    {
        using var folder = new TempFolder();
        folder.Write("tiny/a.bin", "damaged");
        await PullAsync(new FileServer(Content), folder);
        AssertComplete(folder);
    }

    [Fact]
    public async Task PullAsync_Progress_EndsAtTheTotal()
    {
        using var folder = new TempFolder();
        var states = new List<PullProgress>();
        await PullAsync(new FileServer(Content), folder, progress: new Callback(states.Add));
        Assert.Equal(new PullProgress("a.bin", 1000, 1000, 1000, 1000), states[^1]);
        Assert.Equal(states.Select(state => state.FileBytes).Order(), states.Select(state => state.FileBytes));
    }

    [Fact]
    public async Task PullAsync_FolderCannotBeMade_SaysWhatToDo()
    {
        using var folder = new TempFolder();
        var file = folder.Write("file", "");
        using var puller = new DataPuller(handler: new FileServer(Content));
        var error = await Assert.ThrowsAsync<DataException>(() => puller.PullAsync(Entry(), file, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
        Assert.Contains("NABLA_DATA", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PullAsync_FullDisk_SaysSoAndKeepsThePart()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "this system has no /dev/full");
        using var folder = new TempFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "tiny"));
        var part = Path.Combine(folder.Path, "tiny", "a.bin.part");
        File.CreateSymbolicLink(part, "/dev/full");
        using var puller = new DataPuller(handler: new FileServer(Content));
        var error = await Assert.ThrowsAsync<DataException>(() => puller.PullAsync(Entry(), folder.Path, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("a.bin.part: cannot be written", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PullAsync_TooLittleRoom_IsSaidBeforeTheFirstRequest()
    {
        using var folder = new TempFolder();
        var server = new FileServer(Content);
        var huge = Entry() with { Files = [Entry().Files[0] with { Size = long.MaxValue / 2 }] };
        var error = await Assert.ThrowsAsync<DataException>(() => PullAsync(server, folder, entry: huge));
        Assert.Contains("bytes are needed, the disk has", error.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task PullAsync_RealHttpServer_ResumesInTheMiddle()
    {
        using var folder = new TempFolder();
        using var listener = new HttpListener();
        var port = FreePort();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        var ranges = new List<string?>();
        var serving = Task.Run(async () =>
        {
            // The first answer promises 1000 bytes and breaks off after 600; the second serves the rest.
            for (var request = 0; request < 2; request++)
            {
                var context = await listener.GetContextAsync();
                ranges.Add(context.Request.Headers["Range"]);
                if (request == 0)
                {
                    context.Response.ContentLength64 = 1000;
                    context.Response.OutputStream.Write(Content, 0, 600);
                    context.Response.OutputStream.Flush();
                    context.Response.Abort();
                }
                else
                {
                    context.Response.StatusCode = 206;
                    context.Response.Headers["Content-Range"] = "bytes 600-999/1000";
                    context.Response.OutputStream.Write(Content, 600, 400);
                    context.Response.Close();
                }
            }
        }, TestContext.Current.CancellationToken);
        using (var puller = new DataPuller(time: new HurriedTime()))
        {
            await puller.PullAsync(Entry(url: new($"http://127.0.0.1:{port}/a.bin")), folder.Path, cancellationToken: TestContext.Current.CancellationToken);
        }
        await serving;
        AssertComplete(folder);
        Assert.Equal([null, "bytes=600-"], ranges);
    }

    [Fact]
    public async Task PullAsync_GeneratedSet_HasNothingToFetch()
    {
        using var folder = new TempFolder();
        var error = await Assert.ThrowsAsync<DataException>(() => PullAsync(new FileServer([]), folder, entry: Data.Catalogue.Find("shapes")));
        Assert.Contains("nothing to fetch", error.Message, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>Reports in the caller's thread, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Callback(Action<PullProgress> action) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => action(value);
    }
}
