namespace Nabla.Data;

/// <summary>
/// Outline of a figure around the origin, reaching about distance 1, as a signed distance: below 0 inside. Only the arithmetic that
/// IEEE 754 fixes exactly is used (no sine), so every machine draws the same bits.
/// Distances after Quilez, "2D distance functions", https://iquilezles.org/articles/distfunctions2d/.
/// </summary>
internal static class ShapeFigure
{
    // cos and sin of 36 and 72 degrees, for the star's ten corners
    private const float Cos36 = 0.80901699f, Sin36 = 0.58778525f, Cos72 = 0.30901699f, Sin72 = 0.95105652f;
    private const float StarInner = 0.45f, CrossArm = 0.30f, HalfSquare = 0.80f, HalfRoot3 = 0.8660254f;

    private static readonly float[] s_square = [-HalfSquare, -HalfSquare, HalfSquare, -HalfSquare, HalfSquare, HalfSquare, -HalfSquare, HalfSquare];
    private static readonly float[] s_triangle = Scaled(1.15f, 0, -1, HalfRoot3, 0.5f, -HalfRoot3, 0.5f);
    private static readonly float[] s_hexagon = [1, 0, 0.5f, HalfRoot3, -0.5f, HalfRoot3, -1, 0, -0.5f, -HalfRoot3, 0.5f, -HalfRoot3];

    private static readonly float[] s_star = Scaled(1.12f,
        0, -1, StarInner * Sin36, -StarInner * Cos36, Sin72, -Cos72, StarInner * Sin72, StarInner * Cos72, Sin36, Cos36,
        0, StarInner, -Sin36, Cos36, -StarInner * Sin72, StarInner * Cos72, -Sin72, -Cos72, -StarInner * Sin36, -StarInner * Cos36);

    private static readonly float[] s_cross =
    [
        -CrossArm, -1, CrossArm, -1, CrossArm, -CrossArm, 1, -CrossArm, 1, CrossArm, CrossArm, CrossArm,
        CrossArm, 1, -CrossArm, 1, -CrossArm, CrossArm, -1, CrossArm, -1, -CrossArm, -CrossArm, -CrossArm,
    ];

    /// <summary>Names of the classes; the place of a name is its class id.</summary>
    public static readonly string[] Names = ["circle", "square", "triangle", "star", "cross", "ring", "hexagon", "crescent"];

    /// <summary>Signed distance from the outline of class <paramref name="figure"/> to a point.</summary>
    public static float Distance(int figure, float x, float y) => figure switch
    {
        0 => MathF.Sqrt((x * x) + (y * y)) - 0.95f,
        1 => Polygon(s_square, x, y),
        2 => Polygon(s_triangle, x, y),
        3 => Polygon(s_star, x, y),
        4 => Polygon(s_cross, x, y),
        5 => MathF.Abs(MathF.Sqrt((x * x) + (y * y)) - 0.78f) - 0.20f,
        6 => Polygon(s_hexagon, x, y),
        _ => MathF.Max(MathF.Sqrt((x * x) + (y * y)) - 1, 0.78f - MathF.Sqrt(((x - 0.48f) * (x - 0.48f)) + (y * y))),
    };

    private static float Polygon(float[] corners, float x, float y)
    {
        var (nearest, inside) = (float.MaxValue, false);
        var (bx, by) = (corners[^2], corners[^1]);
        for (var i = 0; i < corners.Length; i += 2)
        {
            var (ax, ay) = (corners[i], corners[i + 1]);
            var (ex, ey, wx, wy) = (bx - ax, by - ay, x - ax, y - ay);
            var along = Math.Clamp(((wx * ex) + (wy * ey)) / ((ex * ex) + (ey * ey)), 0f, 1f);
            var (dx, dy) = (wx - (ex * along), wy - (ey * along));
            nearest = MathF.Min(nearest, (dx * dx) + (dy * dy));
            if (ay > y != by > y && x < (ex * (y - ay) / ey) + ax)
            {
                inside = !inside;
            }
            (bx, by) = (ax, ay);
        }
        return inside ? -MathF.Sqrt(nearest) : MathF.Sqrt(nearest);
    }

    private static float[] Scaled(float factor, params float[] corners) => Array.ConvertAll(corners, value => value * factor);
}
