namespace Nabla.Models.Tests;

public sealed class TextGeneratorTests
{
    public static IEnumerable<TheoryDataRow<FamilyExample>> LanguageModels => FamilyExamples.LanguageModels;

    [Theory, MemberData(nameof(LanguageModels))]
    public void Generate_WithOneSeed_RepeatsItself_AndOtherSeedsDiffer(FamilyExample example)
    {
        using var model = (LanguageModel)example.Create();
        long[] Text(long seed) => [.. TextGenerator.Generate(model, [1, 2], new() { MaxTokens = 30, Seed = seed })];
        var first = Text(1);
        Assert.Equal(30, first.Length);
        Assert.All(first, id => Assert.InRange(id, 0, 11));
        Assert.Equal(first, Text(1));
        Assert.NotEqual(first, Text(2));
        Assert.True(model.training);
    }

    [Theory, MemberData(nameof(LanguageModels))]
    public void Generate_Greedily_TakesTheLikeliestOfTheWholeText(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = (LanguageModel)example.Create();
        model.eval();
        List<long> text = [3, 1, 4];
        foreach (var id in TextGenerator.Generate(model, [.. text], new() { MaxTokens = 6, Temperature = 0 }))
        {
            Assert.Equal(model.call(tensor(text.ToArray()).unsqueeze(0))[0, -1].argmax().item<long>(), id);
            text.Add(id);
        }
        Assert.Equal(9, text.Count);
    }

    [Theory, MemberData(nameof(LanguageModels))]
    public void Generate_TokenByToken_LeaksNoTensors(FamilyExample example)
    {
        using var model = (LanguageModel)example.Create();
        _ = TextGenerator.Generate(model, [1], new() { MaxTokens = 1 }).Count(); // tables of positions that belong to the model
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var afterFirst = 0L;
        foreach (var (place, _) in TextGenerator.Generate(model, [1], new() { MaxTokens = 12 }).Index())
        {
            var now = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            afterFirst = place == 0 ? now : afterFirst;
            Assert.InRange(now, before, afterFirst); // less once a text is longer than the context, where nothing is kept
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Generate_UpToAStopToken_DoesNotGiveItOut()
    {
        using var model = Small();
        long[] all = [.. TextGenerator.Generate(model, [1], new() { MaxTokens = 40 })];
        var stop = all[7];
        long[] stopped = [.. TextGenerator.Generate(model, [1], new() { MaxTokens = 40, StopToken = stop })];
        Assert.Equal(all[..Array.IndexOf(all, stop)], stopped);
    }

    [Fact]
    public void Generate_WithAWrongPrompt_ThrowsBeforeTheFirstToken()
    {
        using var model = Small();
        Assert.Contains("at least one token", Assert.Throws<ArgumentException>(() => TextGenerator.Generate(model, [])).Message, StringComparison.Ordinal);
        Assert.Contains("[0, 12), got 12", Assert.Throws<ArgumentException>(() => TextGenerator.Generate(model, [1, 12])).Message, StringComparison.Ordinal);
        Assert.Equal(4, Assert.Throws<OptionsException>(() => TextGenerator.Generate(model, [1], new() { MaxTokens = 0, Temperature = -1, TopK = 0, TopP = 0 })).Problems.Count);
    }

    [Fact]
    public void Generate_FromDamagedWeights_SaysSo()
    {
        using var model = Small();
        using (no_grad())
        {
            model.parameters().First().fill_(double.NaN);
        }
        Assert.Contains("not finite", Assert.Throws<NablaException>(() => TextGenerator.Generate(model, [1]).First()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0, null, null, new[] { 0.5, 0.25, 0.15, 0.1 })]
    [InlineData(0.5, null, null, new[] { 0.7246, 0.1812, 0.0652, 0.0290 })]
    [InlineData(1.0, 2, null, new[] { 2 / 3.0, 1 / 3.0, 0, 0 })]
    [InlineData(1.0, null, 0.74, new[] { 2 / 3.0, 1 / 3.0, 0, 0 })]
    [InlineData(1.0, null, 0.76, new[] { 0.5556, 0.2778, 0.1667, 0 })]
    [InlineData(1.0, 3, 0.5, new[] { 1.0, 0, 0, 0 })]
    [InlineData(0.0, null, null, new[] { 1.0, 0, 0, 0 })]
    public void Sampler_OverManyDraws_FollowsTheProbabilities(double temperature, int? topK, double? topP, double[] expected)
    {
        var sampler = new TokenSampler(new() { Temperature = temperature, TopK = topK, TopP = topP, Seed = 5 });
        float[] logits = [MathF.Log(0.1f), MathF.Log(0.5f), MathF.Log(0.15f), MathF.Log(0.25f)];
        int[] byProbability = [1, 3, 2, 0];
        const int Draws = 20_000;
        var counts = new int[4];
        for (var place = 0; place < Draws; place++)
        {
            counts[sampler.Choose(logits, place)]++;
        }
        for (var i = 0; i < 4; i++)
        {
            var error = 5 * Math.Sqrt(expected[i] * (1 - expected[i]) / Draws); // 5 standard errors
            Assert.InRange(counts[byProbability[i]] / (double)Draws, expected[i] - error - 1e-4, expected[i] + error + 1e-4);
        }
    }

    private static Gpt Small()
    {
        manual_seed(2);
        return new(new() { Features = 16, Layers = 2, Heads = 2 }, new() { Task = ModelTasks.LanguageModeling, Vocabulary = 12, ContextLength = 9, Outputs = 12 });
    }
}
