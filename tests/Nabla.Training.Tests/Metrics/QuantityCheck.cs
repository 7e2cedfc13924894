using System.Text.Json;

namespace Nabla.Training.Tests;

/// <summary>Compares quantities of a metric case; keeps count, and what has no counterpart.</summary>
internal sealed class QuantityCheck
{
    public int Compared { get; private set; }

    public List<string> Left { get; } = [];

    public string WhyNothing { get; set; } = "none of its quantities has a counterpart here";

    /// <summary>
    /// A number within tolerance. Where the reference says undefined we must give NaN or the same stand-in, and where it refuses we must refuse
    /// or give a number that is not finite: never a silent number.
    /// </summary>
    public void Number(string what, JsonElement expected, Func<double> compute, double absolute, double relative = 0)
    {
        Compared++;
        if (expected.ValueKind == JsonValueKind.Object && expected.TryGetProperty("error", out _))
        {
            Refuses(what, compute);
            return;
        }
        if (expected.ValueKind == JsonValueKind.Object && expected.TryGetProperty("undefined", out var reason))
        {
            var given = compute();
            var standIn = expected.TryGetProperty("returned", out var returned) && returned.ValueKind is JsonValueKind.Number or JsonValueKind.String ? GoldenCase.Number(returned) : double.NaN;
            Assert.True(double.IsNaN(given) || Math.Abs(given - standIn) <= absolute || given.Equals(standIn), $"{what} is undefined ({reason}), got {given}");
            return;
        }
        var (wanted, actual) = (GoldenCase.Number(expected), compute());
        Assert.True(wanted.Equals(actual) || Math.Abs(wanted - actual) <= absolute + (relative * Math.Abs(wanted)), $"{what}: expected {wanted:r}, got {actual:r}");
    }

    public void Numbers(string what, JsonElement expected, Func<double[]> compute, double absolute)
    {
        Compared++;
        if (expected.ValueKind == JsonValueKind.Object)
        {
            Refuses(what, () => compute().FirstOrDefault(double.NaN));
            return;
        }
        var wanted = Flat(expected).ToArray();
        var actual = compute();
        Assert.Equal(wanted.Length, actual.Length);
        Assert.All(wanted.Zip(actual), pair => Assert.True(pair.First.Equals(pair.Second) || Math.Abs(pair.First - pair.Second) <= absolute, $"{what}: expected {pair.First:r}, got {pair.Second:r}"));
    }

    /// <summary>We must say that the quantity is not defined.</summary>
    public void Undefined(string what, Func<double> compute)
    {
        Compared++;
        var given = compute();
        Assert.True(double.IsNaN(given), $"{what} is not defined, got {given}");
    }

    private static IEnumerable<double> Flat(JsonElement values)
        => values.ValueKind == JsonValueKind.Array ? values.EnumerateArray().SelectMany(Flat) : [GoldenCase.Number(values)];

    private static void Refuses(string what, Func<double> compute)
    {
        double given;
        try
        {
            given = compute();
        }
        catch (Exception refusal) when (refusal is NablaException or ArgumentException)
        {
            return;
        }
        Assert.True(!double.IsFinite(given), $"{what} must be refused, got {given}");
    }
}
