using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>A rectangle of pixels.</summary>
internal readonly record struct PixelBox(int Top, int Left, int Height, int Width);

/// <summary>
/// Operations on a batch of pictures <c>[batch, channels, height, width]</c> with given parameters for each picture; transforms draw
/// the parameters. Those that only move whole pixels copy rows in managed memory: one pass and no native call for each picture.
/// </summary>
internal static partial class PictureOps
{
    /// <summary>The values of a contiguous float32 tensor in main memory, in place.</summary>
    public static Span<float> Values(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>Mirrors the chosen pictures left to right.</summary>
    public static Tensor FlipColumns(Tensor pictures, bool[] chosen)
    {
        var result = pictures.clone();
        var values = Values(result);
        var width = (int)pictures.Sizes()[3];
        var picture = values.Length / Math.Max(1, chosen.Length);
        for (var i = 0; i < chosen.Length; i++)
        {
            for (var start = i * picture; chosen[i] && start < (i + 1) * picture; start += width)
            {
                values.Slice(start, width).Reverse();
            }
        }
        return result;
    }

    /// <summary>Mirrors the chosen pictures top to bottom.</summary>
    public static Tensor FlipRows(Tensor pictures, bool[] chosen)
    {
        var result = pictures.clone();
        var source = Values(pictures);
        var target = Values(result);
        var (channels, height, width) = ((int)pictures.Sizes()[1], (int)pictures.Sizes()[2], (int)pictures.Sizes()[3]);
        for (var i = 0; i < chosen.Length; i++)
        {
            for (var row = 0; chosen[i] && row < channels * height; row++)
            {
                var (channel, y) = (row / height, row % height);
                var start = i * channels * height;
                source.Slice((start + row) * width, width).CopyTo(target.Slice((start + (channel * height) + height - 1 - y) * width, width));
            }
        }
        return result;
    }

    /// <summary>
    /// Pads each picture on all sides and takes the window of the old size whose corner is at (top, left) of the padded picture.
    /// </summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="tops">Rows above the window, in [0, 2 * padding].</param>
    /// <param name="lefts">Columns left of the window, in [0, 2 * padding].</param>
    /// <param name="padding">Width of the border.</param>
    /// <param name="fill">Colour of the border by channel, or null to mirror the picture without repeating its edge.</param>
    public static Tensor PaddedCrop(Tensor pictures, int[] tops, int[] lefts, int padding, float[]? fill)
    {
        var result = empty_like(pictures);
        var source = Values(pictures);
        var target = Values(result);
        var (channels, height, width) = ((int)pictures.Sizes()[1], (int)pictures.Sizes()[2], (int)pictures.Sizes()[3]);
        for (var i = 0; i < tops.Length; i++)
        {
            var (down, right) = (tops[i] - padding, lefts[i] - padding);
            for (var row = 0; row < channels * height; row++)
            {
                var (channel, y) = (row / height, (row % height) + down);
                var line = target.Slice(((i * channels * height) + row) * width, width);
                if (fill is not null && (y < 0 || y >= height))
                {
                    line.Fill(fill[channel]);
                    continue;
                }
                var from = source.Slice(((i * channels * height) + (channel * height) + Mirror(y, height)) * width, width);
                var (first, last) = (Math.Clamp(-right, 0, width), Math.Clamp(width - right, 0, width)); // columns that lie inside
                for (var x = 0; x < first; x++)
                {
                    line[x] = fill is null ? from[Mirror(x + right, width)] : fill[channel];
                }
                from.Slice(Math.Min(width, first + right), last - first).CopyTo(line[first..]);
                for (var x = last; x < width; x++)
                {
                    line[x] = fill is null ? from[Mirror(x + right, width)] : fill[channel];
                }
            }
        }
        return result;
    }

    /// <summary>Fills a rectangle of each picture; a box without area leaves the picture as it is.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="boxes">One box for each picture, inside of it.</param>
    /// <param name="colours">One colour for each picture, by channel.</param>
    public static Tensor Erase(Tensor pictures, PixelBox[] boxes, float[][] colours)
    {
        var result = pictures.clone();
        var values = Values(result);
        var (channels, height, width) = ((int)pictures.Sizes()[1], (int)pictures.Sizes()[2], (int)pictures.Sizes()[3]);
        for (var i = 0; i < boxes.Length; i++)
        {
            for (var c = 0; c < channels; c++)
            {
                for (var y = boxes[i].Top; y < boxes[i].Top + boxes[i].Height; y++)
                {
                    values.Slice((((((i * channels) + c) * height) + y) * width) + boxes[i].Left, boxes[i].Width).Fill(colours[i][c]);
                }
            }
        }
        return result;
    }

    /// <summary>Puts a rectangle of the partner's picture into each picture, at the same place.</summary>
    public static Tensor Paste(Tensor pictures, long[] partners, PixelBox[] boxes)
    {
        var result = pictures.clone();
        var source = Values(pictures);
        var target = Values(result);
        var (channels, height, width) = ((int)pictures.Sizes()[1], (int)pictures.Sizes()[2], (int)pictures.Sizes()[3]);
        for (var i = 0; i < boxes.Length; i++)
        {
            for (var c = 0; c < channels; c++)
            {
                for (var y = boxes[i].Top; y < boxes[i].Top + boxes[i].Height; y++)
                {
                    var (from, to) = (((((int)partners[i] * channels) + c) * height) + y, (((i * channels) + c) * height) + y);
                    source.Slice((from * width) + boxes[i].Left, boxes[i].Width).CopyTo(target.Slice((to * width) + boxes[i].Left, boxes[i].Width));
                }
            }
        }
        return result;
    }

    /// <summary>The index inside [0, size) that a place outside mirrors to, without repeating the edge.</summary>
    private static int Mirror(int place, int size)
    {
        if (size == 1)
        {
            return 0;
        }
        var period = 2 * (size - 1);
        var inside = ((place % period) + period) % period;
        return inside < size ? inside : period - inside;
    }
}
