using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Pictures in files, decoded when they are needed, on all cores, and kept in memory when they are few:
/// <see cref="Batch.Inputs"/> <c>[batch, channels, height, width]</c> and, when there are labels, <see cref="Batch.Targets"/>
/// <c>[batch]</c>. Thread-safe; disposing while reading is not.
/// </summary>
public sealed class ImageFolderSource : IBatchSource, IDisposable
{
    private readonly ImageSourceOptions _options;
    private readonly byte[]?[]? _cache;
    private readonly Tensor _scale, _shift;

    /// <summary>Creates the source.</summary>
    /// <param name="listing">The files and their classes.</param>
    /// <param name="options">How they are read.</param>
    /// <param name="logger">Takes the warning about pictures that were left out.</param>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    /// <exception cref="DataException">No picture can be read, or a class has none that can.</exception>
    public ImageFolderSource(ImageListing listing, ImageSourceOptions options, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(listing);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_options, Listing) = (options, listing);
        PictureBytes = options.Decoding.Channels * options.Height * options.Width;
        if (options.SkipUnreadable)
        {
            Listing = Readable(logger ?? NullLogger.Instance, out var unreadable);
            Unreadable = unreadable;
        }
        _cache = Listing.Paths.Count * (long)PictureBytes <= options.CacheBytes ? new byte[]?[Listing.Paths.Count] : null;
        (_scale, _shift) = options.Pixels.CreateScaleAndShift();
    }

    /// <summary>The files that are read.</summary>
    public ImageListing Listing { get; }

    /// <summary>Why each file was left out under <see cref="ImageSourceOptions.SkipUnreadable"/>; each message names its file.</summary>
    public IReadOnlyList<string> Unreadable { get; } = [];

    /// <inheritdoc/>
    public long Count => Listing.Paths.Count;

    private int PictureBytes { get; }

    /// <inheritdoc/>
    /// <exception cref="DataException">A picture cannot be read; the message names it.</exception>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(ImageFolderSource), indices, Count);
        using var scope = NewDisposeScope();
        var fields = new List<KeyValuePair<string, Tensor>>
        {
            KeyValuePair.Create(Batch.Inputs, ReadPixels(indices).to_type(float32).mul_(_scale).add_(_shift)),
        };
        if (Listing.Classes is { } classes)
        {
            var targets = new long[indices.Length];
            for (var i = 0; i < targets.Length; i++)
            {
                targets[i] = classes[(int)indices[i]];
            }
            fields.Add(KeyValuePair.Create(Batch.Targets, torch.tensor(targets, [targets.Length], int64)));
        }
        return new(fields);
    }

    /// <summary>The pictures at their final size before normalisation, <c>[batch, channels, height, width]</c>, uint8; the caller owns them.</summary>
    /// <param name="indices">Numbers of the pictures.</param>
    /// <exception cref="DataException">A picture cannot be read; the message names it.</exception>
    public Tensor ReadPixels(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(ImageFolderSource), indices, Count);
        var (wanted, pixels) = (indices.ToArray(), new byte[(long)indices.Length * PictureBytes]);
        var errors = new DataException?[wanted.Length];
        Parallel.For(0, wanted.Length, i =>
        {
            try
            {
                Picture(wanted[i]).CopyTo(pixels.AsSpan(i * PictureBytes));
            }
            catch (DataException error)
            {
                errors[i] = error; // the first by number is thrown below, whichever thread was faster
            }
        });
        return Array.Find(errors, error => error is not null) is { } first
            ? throw new DataException(first.Message, first)
            : torch.tensor(pixels, [wanted.Length, _options.Decoding.Channels, _options.Height, _options.Width]);
    }

    /// <summary>Decodes pictures once, so that damaged ones are found before hours of training and not after; few pictures stay in memory.</summary>
    /// <param name="indices">Numbers of the pictures.</param>
    /// <exception cref="DataException">Pictures cannot be read; the message names the first ones.</exception>
    public void Check(ReadOnlySpan<long> indices)
    {
        const int shown = 5;
        IndexCheck.Within(nameof(ImageFolderSource), indices, Count);
        var wanted = indices.ToArray();
        var errors = new string?[wanted.Length];
        Parallel.For(0, wanted.Length, i =>
        {
            try
            {
                Picture(wanted[i]);
            }
            catch (DataException error)
            {
                errors[i] = error.Message;
            }
        });
        string[] found = [.. errors.OfType<string>()];
        if (found.Length > 0)
        {
            throw new DataException(found.Length == 1 ? found[0] : $"{Listing.Folder}: {found.Length} of {wanted.Length} pictures cannot be read. {string.Join(" ", found.Take(shown))}{(found.Length > shown ? " ..." : "")}");
        }
    }

    /// <inheritdoc/>
    public long? ClassOf(long index) => Listing.Classes?[(int)index];

    /// <inheritdoc/>
    public void Dispose()
    {
        _scale.Dispose();
        _shift.Dispose();
    }

    private byte[] Picture(long index)
    {
        if (_cache is null)
        {
            return Decode(Listing.Paths[(int)index]);
        }
        return _cache[index] ??= Decode(Listing.Paths[(int)index]); // two threads may decode the same picture; both get the same bytes
    }

    private byte[] Decode(string path)
    {
        var image = ImageFile.Read(path, _options.Decoding);
        return (_options.Fit == ImageFit.Crop
            ? ImageResize.BilinearCropped(image, _options.Height, _options.Width)
            : ImageResize.Bilinear(image, _options.Height, _options.Width)).Pixels;
    }

    private ImageListing Readable(ILogger logger, out IReadOnlyList<string> unreadable)
    {
        var errors = new string?[Listing.Paths.Count];
        Parallel.For(0, errors.Length, i =>
        {
            try
            {
                ImageFile.Read(Listing.Paths[i], _options.Decoding);
            }
            catch (DataException error)
            {
                errors[i] = error.Message;
            }
        });
        unreadable = [.. errors.OfType<string>()];
        if (unreadable.Count == 0)
        {
            return Listing;
        }
        ImageLog.LeftOut(logger, unreadable.Count, Listing.Paths.Count, Listing.Folder, unreadable[0]);
        int[] kept = [.. Enumerable.Range(0, errors.Length).Where(i => errors[i] is null)];
        if (kept.Length == 0)
        {
            throw new DataException($"{Listing.Folder}: none of the {errors.Length} pictures can be read; the first: {unreadable[0]}");
        }
        var classes = Listing.Classes is { } all ? kept.Select(i => all[i]).ToArray() : null;
        for (var id = 0; classes is not null && id < Listing.ClassNames.Count; id++)
        {
            if (!classes.Contains(id))
            {
                throw new DataException($"{Listing.Folder}: class '{Listing.ClassNames[id]}' has no picture that can be read; the first error: {unreadable[0]}");
            }
        }
        return Listing with { Paths = [.. kept.Select(i => Listing.Paths[i])], Classes = classes };
    }
}

/// <summary>Log messages about pictures.</summary>
internal static partial class ImageLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Left out {Unreadable} of {Count} pictures in {Folder} that cannot be read; the first: {Reason}")]
    public static partial void LeftOut(ILogger logger, int unreadable, int count, string folder, string reason);
}
