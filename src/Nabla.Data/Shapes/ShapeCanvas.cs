using Nabla.Core;

namespace Nabla.Data;

/// <summary>Draws one picture of <c>shapes</c>: textured ground, thin clutter, one figure with a soft shade, noise.</summary>
internal sealed class ShapeCanvas(int size)
{
    private const int Cells = 4;              // texture cells along an edge
    private const float Noise = 0.06f;        // widest change of a channel by noise
    private const float LeastContrast = 0.25f; // difference in lightness between the figure and both ground colours
    private readonly float[] _red = new float[size * size], _green = new float[size * size], _blue = new float[size * size];

    private readonly record struct Colour(float Red, float Green, float Blue)
    {
        public static Colour Random(RandomStream random) => new((float)random.NextDouble(), (float)random.NextDouble(), (float)random.NextDouble());

        // Luma of Rec. 601: what a picture in shades of grey would show
        public float Lightness => (0.299f * Red) + (0.587f * Green) + (0.114f * Blue);

        public Colour Towards(Colour other, float share)
            => new(Red + ((other.Red - Red) * share), Green + ((other.Green - Green) * share), Blue + ((other.Blue - Blue) * share));
    }

    /// <summary>Draws a figure into <paramref name="pixels"/>, <c>[channels=3, height, width]</c>.</summary>
    public void Draw(int figure, RandomStream random, Span<byte> pixels)
    {
        var ground = Colour.Random(random);
        var second = ground.Towards(Colour.Random(random), 0.4f); // two like colours: the texture stays weaker than the figure
        var colour = ContrastingColour(ground, second, random);
        Ground(ground, second, random);
        var lines = random.NextInt(0, 3);
        for (var i = 0; i < lines; i++)
        {
            Line(ground.Towards(Colour.Random(random), 0.6f), random);
        }
        Figure(figure, colour, random);
        Store(random, pixels);
    }

    private static Colour ContrastingColour(Colour ground, Colour second, RandomStream random)
    {
        var (best, bestContrast) = (default(Colour), -1f);
        for (var attempt = 0; attempt < 64 && bestContrast < LeastContrast; attempt++)
        {
            var colour = Colour.Random(random);
            var contrast = MathF.Min(MathF.Abs(colour.Lightness - ground.Lightness), MathF.Abs(colour.Lightness - second.Lightness));
            (best, bestContrast) = contrast > bestContrast ? (colour, contrast) : (best, bestContrast);
        }
        return best;
    }

    /// <summary>Smooth patches (value noise) or soft stripes between two colours.</summary>
    private void Ground(Colour first, Colour second, RandomStream random)
    {
        Span<float> grid = stackalloc float[(Cells + 1) * (Cells + 1)];
        foreach (ref var value in grid)
        {
            value = (float)random.NextDouble();
        }
        var striped = random.NextBool(0.4);
        var (dx, dy) = Direction(random);
        var frequency = (float)random.NextDouble(3, 7) / size;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var share = striped ? Wave(((x * dx) + (y * dy)) * frequency) : Patch(grid, (x + 0.5f) * Cells / size, (y + 0.5f) * Cells / size);
                Set((y * size) + x, first.Towards(second, share), 1);
            }
        }
    }

    private static float Patch(ReadOnlySpan<float> grid, float x, float y)
    {
        var (column, row) = (Math.Min((int)x, Cells - 1), Math.Min((int)y, Cells - 1));
        var (u, v) = (Smooth(x - column), Smooth(y - row));
        var corner = (row * (Cells + 1)) + column;
        var top = grid[corner] + ((grid[corner + 1] - grid[corner]) * u);
        var bottom = grid[corner + Cells + 1] + ((grid[corner + Cells + 2] - grid[corner + Cells + 1]) * u);
        return top + ((bottom - top) * v);
    }

    /// <summary>A rounded triangle wave of period 1 between 0 and 1.</summary>
    private static float Wave(float phase) => Smooth(MathF.Abs(((phase - MathF.Floor(phase)) * 2) - 1));

    private static float Smooth(float t) => t * t * (3 - (2 * t));

    private void Line(Colour colour, RandomStream random)
    {
        var (px, py) = ((float)random.NextDouble(0, size), (float)random.NextDouble(0, size));
        var (dx, dy) = Direction(random);
        var halfLength = (float)random.NextDouble(0.12, 0.35) * size;
        var halfWidth = (float)random.NextDouble(0.3, 0.7) * size / 32;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var (wx, wy) = (x + 0.5f - px, y + 0.5f - py);
                var along = Math.Clamp((wx * dx) + (wy * dy), -halfLength, halfLength);
                var (ox, oy) = (wx - (dx * along), wy - (dy * along));
                var coverage = Math.Clamp(halfWidth + 0.5f - MathF.Sqrt((ox * ox) + (oy * oy)), 0f, 1f);
                Set((y * size) + x, colour, coverage);
            }
        }
    }

    private void Figure(int figure, Colour colour, RandomStream random)
    {
        var radius = (float)random.NextDouble(0.29, 0.44) * size;
        var reach = radius * 0.95f; // corners may touch the border, the body stays inside
        var (cx, cy) = ((float)random.NextDouble(reach, size - reach), (float)random.NextDouble(reach, size - reach));
        var (cos, sin) = Direction(random);
        var (shadeX, shadeY) = Direction(random);
        var shade = (float)random.NextDouble(0, 0.2);
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var (px, py) = ((x + 0.5f - cx) / radius, (y + 0.5f - cy) / radius);
                if ((px * px) + (py * py) > 2)
                {
                    continue;
                }
                var distance = ShapeFigure.Distance(figure, (px * cos) + (py * sin), (py * cos) - (px * sin));
                var light = 1 - (shade * (0.5f + (0.5f * ((px * shadeX) + (py * shadeY)))));
                Set((y * size) + x, new(colour.Red * light, colour.Green * light, colour.Blue * light), Math.Clamp(0.5f - (distance * radius), 0f, 1f));
            }
        }
    }

    /// <summary>A direction, uniform on the circle: a point of the disc, scaled to length 1.</summary>
    private static (float X, float Y) Direction(RandomStream random)
    {
        while (true)
        {
            var (x, y) = ((float)random.NextDouble(-1, 1), (float)random.NextDouble(-1, 1));
            var length = MathF.Sqrt((x * x) + (y * y));
            if (length is > 0.01f and <= 1)
            {
                return (x / length, y / length);
            }
        }
    }

    private void Set(int place, Colour colour, float coverage)
    {
        _red[place] += (colour.Red - _red[place]) * coverage;
        _green[place] += (colour.Green - _green[place]) * coverage;
        _blue[place] += (colour.Blue - _blue[place]) * coverage;
    }

    private void Store(RandomStream random, Span<byte> pixels)
    {
        var area = size * size;
        for (var i = 0; i < area; i++)
        {
            var bits = random.NextBits(); // 3 x 20 bits of noise
            pixels[i] = ToByte(_red[i], bits);
            pixels[area + i] = ToByte(_green[i], bits >> 20);
            pixels[(2 * area) + i] = ToByte(_blue[i], bits >> 40);
        }
    }

    private static byte ToByte(float value, ulong bits)
    {
        var noise = (((bits & 0xFFFFF) * (1f / (1 << 20))) - 0.5f) * 2 * Noise;
        return (byte)((Math.Clamp(value + noise, 0f, 1f) * 255) + 0.5f);
    }
}
