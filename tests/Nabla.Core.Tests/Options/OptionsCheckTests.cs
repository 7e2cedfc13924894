using CsCheck;

namespace Nabla.Core.Tests;

public sealed class OptionsCheckTests
{
    private sealed record Sample(int Heads, double Dropout);

    [Fact]
    public void ThrowIfAny_WithTwoProblems_ReportsBoth()
    {
        var error = Assert.Throws<OptionsException>(() => OptionsCheck.For(new Sample(0, 2))
            .Require(false, "Heads must be at least 1; it is 0.")
            .Require(true, "never seen")
            .Require(false, "Dropout must be in [0, 1); it is 2.")
            .ThrowIfAny());

        Assert.Equal(["Heads must be at least 1; it is 0.", "Dropout must be in [0, 1); it is 2."], error.Problems);
        Assert.Equal("Sample: Heads must be at least 1; it is 0. Dropout must be in [0, 1); it is 2.", error.Message);
    }

    [Fact]
    public void ThrowIfAny_WithoutProblem_Returns() => OptionsCheck.For(new Sample(1, 0)).Require(true, "").ThrowIfAny();

    [Fact]
    public void OneOf_WithMisspeltName_NamesTheNearestAndAll()
    {
        var error = Assert.Throws<OptionsException>(() => OptionsCheck.For(new Sample(1, 0)).OneOf("name", "adanw", ["adamw", "sgd"]).ThrowIfAny());

        Assert.Equal("Sample: name 'adanw' is not known. Did you mean 'adamw'? Valid: adamw, sgd.", error.Message);
    }

    [Theory]
    [InlineData("lerning_rate", "learning_rate")]
    [InlineData("batchsize", "batch_size")]
    [InlineData("fashon-mnist", "fashion-mnist")]
    [InlineData("LEARNING_RATE", "learning_rate")]
    [InlineData("zzzzzz", null)]
    public void Find_OfMisspeltName_GivesTheMeantOne(string written, string? meant)
        => Assert.Equal(meant, NearestName.Find(written, ["learning_rate", "batch_size", "fashion-mnist", "epochs"]));

    [Fact]
    public void Find_OfACandidate_GivesItself() => Gen.String[Gen.Char['a', 'z'], 1, 12].Array[1, 8].Sample(names =>
        names.All(name => NearestName.Find(name, names) == names.First(other => other == name)));
}
