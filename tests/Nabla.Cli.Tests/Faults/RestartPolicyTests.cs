namespace Nabla.Cli.Tests;

public sealed class RestartPolicyTests
{
    private const int Killed = 137, Aborted = 134;

    [Theory, InlineData(ExitCode.Done), InlineData(ExitCode.WrongUse), InlineData(ExitCode.Cancelled), InlineData(143)]
    public void Decide_EndThatWasMeant_IsNotStartedAgain(int code) => Assert.False(new RestartPolicy(10).Decide(new(code, 5, null)).Restarts);

    [Fact]
    public void Decide_Crashes_RestartUpToTheLimit()
    {
        var policy = new RestartPolicy(3);

        Assert.Equal([true, true, true, false], new[] { Killed, Aborted, 139, Killed }.Select(code => policy.Decide(new(code, null, null)).Restarts));
        Assert.Equal(3, policy.Restarts);
        Assert.False(new RestartPolicy(0).Decide(new(Killed, 1, null)).Restarts);
    }

    [Fact]
    public void Decide_WithoutProgress_WaitsLongerUpToAMinute_AndShortlyAgainAfterACheckpoint()
    {
        var policy = new RestartPolicy(100);

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 1, 2], new long?[] { null, null, null, null, null, null, null, null, 7, 7 }.Select(step => policy.Decide(new(Killed, step, null)).Delay.TotalSeconds));
    }

    [Fact]
    public void Decide_ErrorAtTheSameStepTwice_IsNotStartedAgain()
    {
        var policy = new RestartPolicy(100);

        Assert.Equal([true, true, false], new long?[] { 8, 9, 9 }.Select(step => policy.Decide(new(ExitCode.Failed, 5, step)).Restarts));
    }

    [Fact]
    public void Decide_ErrorBeforeTraining_IsNotStartedAgain() => Assert.False(new RestartPolicy(10).Decide(new(ExitCode.Failed, null, null)).Restarts);
}
