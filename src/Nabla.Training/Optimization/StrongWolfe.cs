namespace Nabla.Training;

/// <summary>
/// A line search for a length that lowers the loss enough and flattens its slope enough: bracketing, then zooming with cubic interpolation
/// (Nocedal and Wright, 2006, algorithms 3.5 and 3.6; bounds and order of checks are PyTorch's, so that both walk the same way).
/// </summary>
internal static class StrongWolfe
{
    private const double Decrease = 1e-4, Flatness = 0.9, SmallestChange = 1e-9; // c1, c2 and tolerance of PyTorch
    private const int MostEvaluations = 25;

    /// <summary>Finds a length.</summary>
    /// <param name="evaluate">Loss and gradient at a length.</param>
    /// <param name="length">Length to try first.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="loss">Loss at length 0.</param>
    /// <param name="gradient">Gradient at length 0.</param>
    /// <param name="slope">Slope along the direction at length 0, below 0.</param>
    public static (double Loss, Tensor Gradient, double Length, int Evaluations) Search(
        Func<double, (double Loss, Tensor Gradient)> evaluate, double length, Tensor direction, double loss, Tensor gradient, double slope)
    {
        var evaluations = 0;
        Point At(double place)
        {
            evaluations++;
            var (value, slopeVector) = evaluate(place);
            return new(place, value, slopeVector, Number(slopeVector.dot(direction)));
        }
        bool IsTooHigh(Point point) => point.Loss > loss + (Decrease * point.Length * slope);
        bool IsFlat(Point point) => Math.Abs(point.Slope) <= -Flatness * slope;
        var start = new Point(0, loss, gradient, slope);
        var (previous, point, tries) = (start, At(length), 0);
        Point? low = null, high = null;
        while (tries < MostEvaluations)
        {
            if (IsTooHigh(point) || (tries > 1 && point.Loss >= previous.Loss) || (!IsFlat(point) && point.Slope >= 0))
            {
                (low, high) = (previous, point);
                break;
            }
            if (IsFlat(point))
            {
                return (point.Loss, point.Gradient, point.Length, evaluations);
            }
            var next = Minimum(previous, point, point.Length + (0.01 * (point.Length - previous.Length)), point.Length * 10);
            (previous, point, tries) = (point, At(next), tries + 1);
        }
        Point[] bracket = [low ?? start, high ?? point];
        var largest = Number(direction.abs().max());
        var isStuck = false;
        int Lower() => bracket[0].Loss <= bracket[1].Loss ? 0 : 1;
        var lower = Lower();
        while (tries < MostEvaluations && Math.Abs(bracket[1].Length - bracket[0].Length) * largest >= SmallestChange)
        {
            var (left, right) = (Math.Min(bracket[0].Length, bracket[1].Length), Math.Max(bracket[0].Length, bracket[1].Length));
            var place = Minimum(bracket[0], bracket[1], left, right);
            var margin = 0.1 * (right - left);
            if (Math.Min(right - place, place - left) < margin)
            {
                // Near an end once may be luck; twice, or beyond it, and the place is moved inside.
                if (isStuck || place >= right || place <= left)
                {
                    place = Math.Abs(place - right) < Math.Abs(place - left) ? right - margin : left + margin;
                    isStuck = false;
                }
                else
                {
                    isStuck = true;
                }
            }
            else
            {
                isStuck = false;
            }
            (point, tries) = (At(place), tries + 1);
            if (IsTooHigh(point) || point.Loss >= bracket[lower].Loss)
            {
                bracket[1 - lower] = point;
                lower = Lower();
                continue;
            }
            if (IsFlat(point))
            {
                bracket[lower] = point;
                break;
            }
            if (point.Slope * (bracket[1 - lower].Length - bracket[lower].Length) >= 0)
            {
                bracket[1 - lower] = bracket[lower];
            }
            bracket[lower] = point;
        }
        var found = bracket[lower];
        return (found.Loss, found.Gradient, found.Length, evaluations);
    }

    /// <summary>Minimum of the cubic through two points with their slopes, kept within bounds; their middle when it has none.</summary>
    private static double Minimum(Point first, Point second, double low, double high)
    {
        var (x1, x2) = (first.Length, second.Length);
        var d1 = first.Slope + second.Slope - (3 * (first.Loss - second.Loss) / (x1 - x2));
        var square = (d1 * d1) - (first.Slope * second.Slope);
        if (!(square >= 0))
        {
            return (low + high) / 2;
        }
        var d2 = Math.Sqrt(square);
        var place = x1 <= x2
            ? x2 - ((x2 - x1) * ((second.Slope + d2 - d1) / (second.Slope - first.Slope + (2 * d2))))
            : x1 - ((x1 - x2) * ((first.Slope + d2 - d1) / (first.Slope - second.Slope + (2 * d2))));
        return Math.Min(Math.Max(place, low), high);
    }

    private static double Number(Tensor scalar) => scalar.to(ScalarType.Float64).item<double>();

    private sealed record Point(double Length, double Loss, Tensor Gradient, double Slope);
}
