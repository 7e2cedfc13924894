namespace Nabla.Training.Tests;

public sealed class EarlyStoppingTests
{
    [Theory]
    [InlineData(false, 2, 0.0, new[] { 5.0, 4, 4, 3, 3, 3 }, 5)]
    [InlineData(false, 1, 0.0, new[] { 5.0, 4, 5 }, 2)]
    [InlineData(true, 2, 0.0, new[] { 0.1, 0.2, 0.2, 0.1 }, 3)]
    [InlineData(false, 2, 0.5, new[] { 5.0, 4.6, 4.6 }, 2)]
    [InlineData(false, 2, 0.0, new[] { double.NaN, double.NaN, 1 }, 1)]
    [InlineData(false, 3, 0.0, new[] { double.NaN, 2, 1 }, -1)]
    public void OnValidationCompleted_SequenceOfValues_StopsAt(bool higherIsBetter, int patience, double change, double[] values, int expected)
    {
        var stopping = new EarlyStopping(new() { Patience = patience, MinimumChange = change }, higherIsBetter);

        Assert.Equal(expected, Array.FindIndex(values, value => Evaluate(stopping, value) == Continuation.Stop));
    }

    [Fact]
    public void SaveState_InTheMiddle_GoesOnTheSame()
    {
        var (whole, first, second) = (Stopping(), Stopping(), Stopping());
        Assert.Equal(Evaluate(whole, 1), Evaluate(first, 1));
        Assert.Equal(Evaluate(whole, 2), Evaluate(first, 2));

        second.LoadState(first.SaveState());

        Assert.Equal(Continuation.Continue, Evaluate(whole, 2));
        Assert.Equal(Continuation.Continue, Evaluate(second, 2));
        Assert.Equal(Continuation.Stop, Evaluate(whole, 2));
        Assert.Equal(Continuation.Stop, Evaluate(second, 2));

        static EarlyStopping Stopping() => new(new() { Patience = 3 }, false);
    }

    [Fact]
    public void OnValidationCompleted_UnknownMetric_SuggestsTheNearest()
        => Assert.Contains("Did you mean 'validation/loss'?", Assert.Throws<TrainingException>(() => Evaluate(new EarlyStopping(new() { Monitor = "validation/los" }, false), 1)).Message, StringComparison.Ordinal);

    private static Continuation Evaluate(EarlyStopping stopping, double value)
        => stopping.OnValidationCompleted(new(1, 0, new Dictionary<string, double> { ["validation/loss"] = value }));
}
