namespace Nabla.Benchmarks.Tests;

public sealed class BenchmarkGoalsTests
{
    /// <summary>The table of issue 5, as it stands there.</summary>
    [Theory]
    [InlineData("train", "W6", ">= 3.3x / 4.5x, >= 50% of peak / 65% of peak", ">= 1.4x / 1.75x, >= 65% of peak / 80% of peak")]
    [InlineData("train", "W5", ">= 2.5x / 3.5x", ">= 1.5x / 2.2x")]
    [InlineData("train", "W8", ">= 2.5x / 3.5x", ">= 1.2x / 1.5x")]
    [InlineData("train", "W3", ">= 1.7x / 2.5x", ">= 1.5x / 1.8x")]
    [InlineData("train", "W2", ">= 1.7x / 2.5x", ">= 1.2x / 1.5x")]
    [InlineData("train", "W4", ">= 2x / 3x", ">= 1.15x / 1.4x")]
    [InlineData("train", "W1", ">= 3x / 5x", ">= 1.6x / 2.5x")]
    [InlineData("train", "W7", ">= 2.5x", ">= 1.5x / 2x")]
    [InlineData("train", "W6 memory", "<= 0.8x", "<= 0.9x")]
    [InlineData("optimizer", "AdamW direct", "<= 1.1x", "<= 1.1x")]
    [InlineData("checkpoint", "W6 time lost", "<= 0.01", "<= 0.01")]
    [InlineData("startup", "shapes first step", "<= 2", "<= 2")]
    public void Goals_AreThoseOfTheIssue(string suite, string workload, string withBFloat16, string avx2)
    {
        Assert.Equal(withBFloat16, string.Join(", ", BenchmarkGoals.For(suite, workload, MachineColumn.BFloat16)));
        Assert.Equal(avx2, string.Join(", ", BenchmarkGoals.For(suite, workload, MachineColumn.Avx2)));
    }

    [Fact]
    public void EveryTrainingWorkload_HasGoals()
        => Assert.All(TrainingWorkloads.All, workload => Assert.NotEmpty(BenchmarkGoals.For("train", workload.Name, MachineColumn.Avx2)));

    [Fact]
    public void Suites_OfGoals_Exist() => Assert.All(BenchmarkGoals.Keys, key => Assert.Contains(key.Suite, BenchmarkRunner.Suites));

    [Theory]
    [InlineData(false, 3, true, false)]
    [InlineData(false, 2.99, false, false)]
    [InlineData(false, 5, true, true)]
    [InlineData(true, 3, true, false)]
    [InlineData(true, 3.01, false, false)]
    [InlineData(true, 1, true, true)]
    [InlineData(false, double.NaN, false, false)]
    [InlineData(true, double.NaN, false, false)]
    public void Goal_Bounds_AreInclusive(bool isUpper, double measured, bool holds, bool reaches)
    {
        BenchmarkGoal goal = new(BenchmarkGoal.Ratio, isUpper, 3, isUpper ? 1 : 5);

        Assert.Equal((holds, reaches), (goal.Holds(measured), goal.ReachesAim(measured)));
    }
}
