using CsCheck;

namespace Nabla.Training.Tests;

public sealed class ScheduleTests
{
    private static ScheduleOptions Options(string name) => new()
    {
        Name = name,
        Milestones = [1, 3],
        Parts = name is "sequential" or "chained" ? [new() { Name = "cosine", FinalFraction = 0.1, WarmupFraction = 0.2 }, new() { Name = "exponential", Gamma = 0.9 }] : null,
        PartStarts = name == "sequential" ? [7] : null,
    };

    [Fact]
    public void Factor_OfAnySchedule_StaysInRangeAndIsFinite()
        => Gen.Select(Gen.Int[0, ScheduleFactory.Names.Count - 1].Select(i => ScheduleFactory.Names[i]), Gen.Long[1, 400], Gen.Long[1, 50], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((name, total, perEpoch, warmup, final) =>
        {
            var schedule = ScheduleFactory.Create(Options(name) with { WarmupFraction = warmup, FinalFraction = final }, total, perEpoch);
            return Enumerable.Range(0, (int)total + 5).All(step => schedule.Factor(step) is >= 0 and <= 1 + 1e-12);
        });

    [Theory, InlineData("linear"), InlineData("cosine"), InlineData("polynomial"), InlineData("cosine-restarts"), InlineData("one-cycle"), InlineData("warmup-stable-decay")]
    public void Factor_PastTheEnd_HoldsTheFinalRate(string name)
    {
        var schedule = ScheduleFactory.Create(Options(name) with { FinalFraction = 0.25 }, 100, 10);
        Assert.All([100, 101, 100_000], step => Assert.Equal(0.25, schedule.Factor(step), 12));
    }

    [Fact]
    public void Factor_OfEpochSchedules_DropsAtEpochStarts()
    {
        var step = ScheduleFactory.Create(new() { Name = "step", StepEpochs = 2, Gamma = 0.5 }, 100, stepsPerEpoch: 10);
        Assert.Equal([1, 1, 0.5, 0.5, 0.25], [step.Factor(0), step.Factor(19), step.Factor(20), step.Factor(39), step.Factor(40)]);
        var milestones = ScheduleFactory.Create(Options("multi-step"), 100, stepsPerEpoch: 10);
        Assert.Equal([1, 0.1, 0.1, 0.01], [milestones.Factor(9), milestones.Factor(10), milestones.Factor(29), milestones.Factor(30)], (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void Factor_WithWarmupFraction_RisesLinearly()
    {
        var schedule = ScheduleFactory.Create(new() { WarmupFraction = 0.1 }, 200, 10);
        Assert.Equal([0, 0.5, 0.95, 1, 1], [schedule.Factor(0), schedule.Factor(10), schedule.Factor(19), schedule.Factor(20), schedule.Factor(199)]);
    }

    [Fact]
    public void Validate_OfWrongOptions_ListsAllProblems()
    {
        var error = Assert.Throws<OptionsException>(() => ScheduleFactory.Create(new() { Name = "cosin", Gamma = 0, CycleShape = "round", Annealing = "none", Goal = "best" }, 10, 1));
        Assert.Equal(5, error.Problems.Count);
        Assert.Contains("Did you mean 'cosine'?", error.Message);
        Assert.Throws<OptionsException>(() => ScheduleFactory.Create(new() { Name = "multi-step" }, 10, 1));
    }

    [Fact]
    public void LoadState_OfPlateauWithMissingNumbers_NamesThem()
    {
        var schedule = ScheduleFactory.Create(new() { Name = "plateau" }, 10, 1);
        var error = Assert.Throws<CheckpointException>(() => schedule.LoadState(new Dictionary<string, double> { ["factor"] = 1, ["best"] = 2 }));
        Assert.Contains("bad, cooldown", error.Message);
    }

    [Fact]
    public void Validate_OfSchedulesMadeOfParts_SaysWhatDoesNotFit()
    {
        string Problem(ScheduleOptions options) => Assert.Throws<OptionsException>(() => ScheduleFactory.Validate(options)).Message;
        Assert.Contains("parts must be at least one", Problem(new() { Name = "chained" }));
        Assert.Contains("parts belong to", Problem(new() { Name = "linear", Parts = [new()] }));
        Assert.Contains("one fewer than parts (2); there are 0", Problem(new() { Name = "sequential", Parts = [new(), new()] }));
        Assert.Contains("must be above 0 and grow", Problem(new() { Name = "sequential", Parts = [new(), new(), new()], PartStarts = [5, 5] }));
        Assert.Contains("cannot be one-cycle", Problem(new() { Name = "chained", Parts = [new() { Name = "one-cycle" }] }));
        Assert.Contains("cannot be plateau", Problem(new() { Name = "sequential", Parts = [new() { Name = "plateau" }] }));
        Assert.Contains("gamma must be in", Problem(new() { Name = "chained", Parts = [new() { Gamma = 2 }] }));
        Assert.Contains("after_end belongs to cosine", Problem(new() { Name = "linear", AfterEnd = "continue" }));
    }
}
