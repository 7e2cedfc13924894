using System.Net;
using System.Net.Http.Headers;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Fetches catalogued data sets. A file is written under a temporary name (<c>.part</c>), goes on where it stopped after an
/// interruption, and gets its final name only when its SHA-256 is right. Not thread-safe for one folder.
/// </summary>
public sealed class DataPuller : IDisposable
{
    private const string PartSuffix = ".part";
    private readonly HttpClient _client;
    private readonly DataPullerOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Creates a puller.</summary>
    /// <param name="options">How patient it is; null for the defaults.</param>
    /// <param name="handler">Sends the requests; null for the network. It is disposed with the puller.</param>
    /// <param name="time">The clock for waits between tries; null for the system's.</param>
    public DataPuller(DataPullerOptions? options = null, HttpMessageHandler? handler = null, TimeProvider? time = null)
    {
        _options = options ?? new();
        _options.Validate();
        _time = time ?? TimeProvider.System;
        _client = handler is null ? new HttpClient() : new HttpClient(handler);
        _client.Timeout = Timeout.InfiniteTimeSpan; // StallTimeout watches instead: a large file may take long
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("nabla-data", "1"));
    }

    /// <summary>Fetches what is missing of a data set. Files that are there with the right hash are kept.</summary>
    /// <param name="entry">The set.</param>
    /// <param name="folder">The data folder; null for <see cref="DataFolder.Resolve()"/>.</param>
    /// <param name="progress">Told while bytes arrive, a few times a second.</param>
    /// <param name="cancellationToken">Stops fetching; what has arrived stays as <c>.part</c>, and the next pull goes on from there.</param>
    /// <exception cref="DownloadException">The network or the server failed for good, or what came has the wrong hash.</exception>
    /// <exception cref="DataException">The folder cannot be written, the disk is too small, or the set has no files to fetch.</exception>
    public async Task<PullResult> PullAsync(CatalogueEntry entry, string? folder = null, IProgress<PullProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.IsGenerated)
        {
            throw new DataException($"Data set '{entry.Name}' is generated when it is used; there is nothing to fetch.");
        }
        folder ??= DataFolder.Resolve();
        var target = Path.Combine(folder, entry.Name);
        List<string> fetched = [], kept = [], skipped = [];
        var missing = new List<CatalogueFile>();
        foreach (var file in entry.Files)
        {
            if (DataFolder.Find(entry, file, folder) is { } there && await FileHash.Sha256Async(there.Path, cancellationToken).ConfigureAwait(false) == there.Form.Sha256)
            {
                kept.Add(there.Form.Name);
            }
            else
            {
                missing.Add(file.Published);
            }
        }
        if (missing.Count == 0)
        {
            return new(target, fetched, kept, skipped, 0);
        }
        foreach (var file in missing.Where(file => file.Url is null))
        {
            throw new DownloadException($"{file.Name}: no address is known for this file. See `nabla data info {entry.Name}`, and copy it to {target} by hand.");
        }
        PrepareFolder(target, missing);
        var totalSize = missing.Sum(file => file.Size);
        var (received, done) = (0L, 0L);
        foreach (var file in missing.OrderBy(file => file.IsDocumentation))
        {
            var meter = progress is null ? null : new Meter(_time, progress, file, done, totalSize);
            try
            {
                received += await FetchAsync(file, Path.Combine(target, file.Name), meter, cancellationToken).ConfigureAwait(false);
                fetched.Add(file.Name);
            }
            catch (DownloadException error) when (file.IsDocumentation)
            {
                skipped.Add($"{file.Name}: {error.Message}");
            }
            done += file.Size;
            meter?.Report(file.Size, always: true);
        }
        return new(target, fetched, kept, skipped, received);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<long> FetchAsync(CatalogueFile file, string path, Meter? meter, CancellationToken cancellationToken)
    {
        var part = path + PartSuffix;
        var (received, attempts, restarted, farthest) = (0L, 0, false, LengthOf(part));
        var seen = new SeenTag();
        while (true)
        {
            var resumedFrom = LengthOf(part);
            if (resumedFrom < file.Size)
            {
                var before = resumedFrom;
                try
                {
                    await ReceiveAsync(file, part, seen, meter, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (IsPassing(error) && !cancellationToken.IsCancellationRequested)
                {
                    received += Math.Max(LengthOf(part) - before, 0);
                    // Only bytes never reached before count as progress, or a server that is always too short would be asked for ever.
                    attempts = LengthOf(part) > farthest ? 1 : attempts + 1;
                    farthest = Math.Max(farthest, LengthOf(part));
                    if (attempts >= _options.MaxAttempts)
                    {
                        throw new DownloadException($"{file.Url}: given up after {attempts} tries: {error.Message} {LengthOf(part)} of {file.Size} bytes are kept in {part}; the next pull goes on from there.", error);
                    }
                    await Task.Delay(DelayBefore(attempts + 1, error), _time, cancellationToken).ConfigureAwait(false);
                    continue;
                }
                received += Math.Max(LengthOf(part) - (LengthOf(part) >= before ? before : 0), 0);
            }
            var actual = await FileHash.Sha256Async(part, cancellationToken).ConfigureAwait(false);
            if (actual == file.Sha256)
            {
                System.IO.File.Move(part, path, overwrite: true);
                return received;
            }
            System.IO.File.Delete(part);
            if (resumedFrom == 0 || restarted)
            {
                throw new DownloadException($"{file.Url}: expected SHA-256 {file.Sha256} ({file.Size} bytes), got {actual}. The file at that address is not the catalogued one, or a proxy changed it; nothing was kept.");
            }
            restarted = true; // the part from before may have been the wrong one: once more, from the start
        }
    }

    /// <summary>One request: writes what comes behind what is there and notes the server's tag of the content.</summary>
    private async Task ReceiveAsync(CatalogueFile file, string part, SeenTag seen, Meter? meter, CancellationToken cancellationToken)
    {
        var offset = LengthOf(part);
        using var stall = new CancellationTokenSource(_options.StallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, file.Url);
        if (offset > 0)
        {
            request.Headers.Range = new(offset, null);
            if (seen.Tag is { IsWeak: false } tag)
            {
                request.Headers.IfRange = new(tag);
            }
        }
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && offset > 0)
            {
                System.IO.File.Delete(part);
                throw new HttpRequestException("the server does not have the bytes that are missing; starting over.");
            }
            if (!response.IsSuccessStatusCode)
            {
                throw Refused(file, response);
            }
            seen.Tag = response.Headers.ETag;
            var resumed = response.StatusCode == HttpStatusCode.PartialContent;
            if (resumed && response.Content.Headers.ContentRange?.From != offset)
            {
                System.IO.File.Delete(part);
                throw new HttpRequestException($"asked for the bytes from {offset}, got {response.Content.Headers.ContentRange}; starting over.");
            }
            var content = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
            {
                await CopyAsync(file, content, part, resumed ? offset : 0, meter, stall, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {_options.StallTimeout.TotalSeconds:0} seconds.", error);
        }
    }

    private async Task CopyAsync(CatalogueFile file, Stream content, string part, long offset, Meter? meter, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        var tooMuch = false;
        var output = OpenPart(part, offset);
        await using (output.ConfigureAwait(false))
        {
            var buffer = new byte[128 * 1024];
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                stall.CancelAfter(_options.StallTimeout);
                tooMuch = offset + read > file.Size;
                if (tooMuch)
                {
                    break;
                }
                await WriteAsync(output, buffer.AsMemory(0, read), part, cancellationToken).ConfigureAwait(false);
                offset += read;
                meter?.Report(offset);
            }
            Flush(output, part);
        }
        if (tooMuch)
        {
            System.IO.File.Delete(part);
            throw new DownloadException($"{file.Url}: expected {file.Size} bytes, but the server sends more. The file at that address is not the catalogued one; nothing was kept.");
        }
        if (offset < file.Size)
        {
            throw new HttpRequestException($"the connection ended after {offset} of {file.Size} bytes.");
        }
    }

    private static FileStream OpenPart(string part, long offset)
    {
        try
        {
            var output = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
            output.SetLength(offset);
            output.Position = offset;
            return output;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(part, error);
        }
    }

    private static async Task WriteAsync(FileStream output, ReadOnlyMemory<byte> bytes, string part, CancellationToken cancellationToken)
    {
        try
        {
            await output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            throw DiskFull(part, error);
        }
    }

    private static void Flush(FileStream output, string part)
    {
        try
        {
            output.Flush(flushToDisk: true);
        }
        catch (IOException error)
        {
            throw DiskFull(part, error);
        }
    }

    private static void PrepareFolder(string folder, List<CatalogueFile> files)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, ".nabla-write-test");
            using (new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(folder, error);
        }
        if (FreeSpace(folder) is not { } free)
        {
            return;
        }
        var needed = files.Sum(file => file.Size - Math.Min(LengthOf(Path.Combine(folder, file.Name) + PartSuffix), file.Size));
        if (free < needed)
        {
            throw new DataException($"{folder}: {needed} bytes are needed, the disk has {free} left. Make room or set {DataFolder.Variable} to a folder on another disk.");
        }
    }

    /// <summary>Bytes left on the folder's disk, or null where that cannot be told (a network share).</summary>
    private static long? FreeSpace(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception error) when (error is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static DataException DiskFull(string part, IOException error)
        => new($"{part}: cannot be written: {error.Message} Is the disk full? Make room or set {DataFolder.Variable} to a folder on another disk; the next pull goes on from here.", error);

    private static DataException NotWritable(string path, Exception error)
        => new($"{path}: cannot be written: {error.Message} Change the folder's permissions or set {DataFolder.Variable} to a folder of yours.", error);

    private static Exception Refused(CatalogueFile file, HttpResponseMessage response)
    {
        var status = $"{(int)response.StatusCode} {response.ReasonPhrase}";
        return response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
            ? new ServerBusyException($"the server answered {status}.", response.Headers.RetryAfter?.Delta)
            : new DownloadException($"{file.Url}: the server answered {status}. The publisher may have moved the file; get it elsewhere and put it into the data folder under its name, its hash is checked.");
    }

    /// <summary>Whether trying again may help.</summary>
    private static bool IsPassing(Exception error) => error is HttpRequestException or IOException or TimeoutException or ServerBusyException;

    private TimeSpan DelayBefore(int attempt, Exception error)
    {
        var delay = _options.FirstDelay * Math.Pow(2, Math.Min(attempt - 2, 10));
        var asked = (error as ServerBusyException)?.RetryAfter ?? TimeSpan.Zero;
        delay = delay > asked ? delay : asked;
        return delay < TimeSpan.FromSeconds(60) ? delay : TimeSpan.FromSeconds(60);
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    /// <summary>The server's tag of the content that is being written; it outlives a broken connection.</summary>
    private sealed class SeenTag
    {
        public EntityTagHeaderValue? Tag { get; set; }
    }

    /// <summary>The server cannot answer now.</summary>
    private sealed class ServerBusyException(string message, TimeSpan? retryAfter) : Exception(message)
    {
        public TimeSpan? RetryAfter { get; } = retryAfter;
    }

    /// <summary>Passes progress on, at most about five times a second.</summary>
    private sealed class Meter(TimeProvider time, IProgress<PullProgress> progress, CatalogueFile file, long before, long totalSize)
    {
        private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
        private long? _last;

        public void Report(long bytes, bool always = false)
        {
            if (always || _last is not { } last || time.GetElapsedTime(last) >= Interval)
            {
                _last = time.GetTimestamp();
                progress.Report(new(file.Name, bytes, file.Size, before + bytes, totalSize));
            }
        }
    }
}
