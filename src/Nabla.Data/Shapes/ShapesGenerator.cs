using Nabla.Core;

namespace Nabla.Data;

/// <summary>The parts of <c>shapes</c>; their pictures are independent of each other.</summary>
public enum ShapesSplit
{
    /// <summary>Pictures to train on.</summary>
    Train = 0,

    /// <summary>Pictures to test on.</summary>
    Test = 1,
}

/// <summary>Generated pictures and what they show.</summary>
/// <param name="Pixels">Colours 0 to 255, <c>[examples, channels=3, height, width]</c> in this order.</param>
/// <param name="Classes">Class id of each picture, <c>[examples]</c>.</param>
public sealed record ShapesPictures(byte[] Pixels, long[] Classes);

/// <summary>
/// The built-in data set <c>shapes</c>: one geometric figure of 8 classes a picture, with random place, size, rotation, colour and
/// shade, on textured ground with thin lines and noise. Colour says nothing about the class. A picture depends on the seed, the
/// split and its number only, bit for bit on every machine. Thread-safe.
/// </summary>
public sealed class ShapesGenerator
{
    /// <summary>Creates the generator.</summary>
    /// <param name="options">Size and seed.</param>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    public ShapesGenerator(ShapesOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
    }

    /// <summary>Colour channels of a picture: red, green, blue.</summary>
    public const int Channels = 3;

    /// <summary>Names of the classes; the place of a name is its class id.</summary>
    public static IReadOnlyList<string> ClassNames => ShapeFigure.Names;

    /// <summary>The options in use.</summary>
    public ShapesOptions Options { get; }

    /// <summary>Draws all pictures of a split, on all cores.</summary>
    /// <param name="split">Which pictures.</param>
    public ShapesPictures Generate(ShapesSplit split)
    {
        var count = split == ShapesSplit.Train ? Options.Train : Options.Test;
        var bytes = Channels * Options.Size * Options.Size;
        var (pixels, classes) = (new byte[(long)count * bytes], new long[count]);
        Parallel.For(0, count, () => new ShapeCanvas(Options.Size), (index, _, canvas) =>
        {
            classes[index] = Draw(canvas, split, index, pixels.AsSpan(index * bytes, bytes));
            return canvas;
        }, _ => { });
        return new(pixels, classes);
    }

    /// <summary>Draws one picture.</summary>
    /// <param name="split">The split it belongs to.</param>
    /// <param name="index">Its number, from 0; need not lie within the split's size.</param>
    /// <param name="pixels">Receives the colours, <c>[channels=3, height, width]</c>.</param>
    /// <returns>The class id.</returns>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> has another size than one picture.</exception>
    public long Draw(ShapesSplit split, long index, Span<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return pixels.Length == Channels * Options.Size * Options.Size
            ? Draw(new ShapeCanvas(Options.Size), split, index, pixels)
            : throw new ArgumentException($"ShapesGenerator.Draw: expected room for {Channels * Options.Size * Options.Size} bytes, got {pixels.Length}.", nameof(pixels));
    }

    private long Draw(ShapeCanvas canvas, ShapesSplit split, long index, Span<byte> pixels)
    {
        var figure = (int)(index % ClassNames.Count); // equally many of each class
        canvas.Draw(figure, RandomStream.At(Options.Seed, RandomPurpose.Generation, (long)split, index), pixels);
        return figure;
    }
}
