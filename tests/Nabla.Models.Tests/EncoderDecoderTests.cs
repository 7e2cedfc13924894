namespace Nabla.Models.Tests;

public sealed class EncoderDecoderTests
{
    private const long Start = 0, End = 1;

    private static readonly ModelInput Sizes = new() { Task = ModelTasks.SequenceToSequence, Vocabulary = 12, Outputs = 12, ContextLength = 9 };

    public static TheoryData<bool, bool, string> Kinds => new() { { true, false, "learned" }, { false, true, "sinusoidal" }, { true, true, "none" } };

    private static EncoderDecoder Create(bool normalizeFirst, bool shareTokens, string positions)
    {
        manual_seed(4);
        var model = new EncoderDecoder(new() { Features = 16, Heads = 2, EncoderLayers = 2, DecoderLayers = 2, NormalizeFirst = normalizeFirst, ShareTokens = shareTokens, Positions = positions, TieHead = !normalizeFirst }, Sizes);
        model.eval();
        return model;
    }

    private static Tensor Ids(long seed, long batch, long time)
    {
        using var generator = new Generator((ulong)seed);
        return randint(2, Sizes.Vocabulary, [batch, time], ScalarType.Int64, generator: generator);
    }

    [Theory, LeaksNoTensors, MemberData(nameof(Kinds))]
    public void Scores_BeforeAChangedAnswerToken_StayTheSame_AndEverySourceTokenCounts(bool normalizeFirst, bool shareTokens, string positions)
    {
        using var model = Create(normalizeFirst, shareTokens, positions);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var (source, answer) = (Ids(1, 2, 6), Ids(2, 2, 5));
        var before = model.call(new ModelBatch(source, Decoder: answer)); // [batch, answerTime, vocab]
        for (var place = 1; place < 5; place++)
        {
            var changed = answer.clone();
            changed[.., place] = (answer[.., place] + 1).remainder(Sizes.Outputs);
            var after = model.call(new ModelBatch(source, Decoder: changed));
            TensorAssert.Close(before[.., ..place], after[.., ..place], 1e-5, 1e-5, $"scores before the changed token {place}");
            Assert.True((before[.., place] - after[.., place]).abs().max().ToDouble() > 1e-6);
        }
        for (var place = 0; place < 6; place++)
        {
            var changed = source.clone();
            changed[.., place] = (source[.., place] + 1).remainder(Sizes.Vocabulary);
            Assert.True((before - model.call(new ModelBatch(changed, Decoder: answer))).abs().amax([1, 2]).min().ToDouble() > 1e-7, $"source token {place} has no effect");
        }
    }

    [Theory, LeaksNoTensors, MemberData(nameof(Kinds))]
    public void Padding_OfSourceAndAnswer_HasNoEffect(bool normalizeFirst, bool shareTokens, string positions)
    {
        using var model = Create(normalizeFirst, shareTokens, positions);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var (source, answer) = (Ids(1, 1, 4), Ids(2, 1, 3));
        var expected = model.call(new ModelBatch(source, Decoder: answer));
        var padded = model.call(new ModelBatch(
            cat([source, Ids(3, 1, 5)], 1), Lengths: tensor(new long[] { 4 }),
            Decoder: cat([answer, Ids(4, 1, 2)], 1), DecoderMask: tensor(new[] { true, true, true, false, false }).unsqueeze(0)));
        TensorAssert.Close(expected, padded[.., ..3], 1e-5, 1e-5, "real places");
        TensorAssert.Finite(padded);
    }

    [Theory, LeaksNoTensors, MemberData(nameof(Kinds))]
    public void StepByStep_WithCaches_GivesTheScoresOfTheWholeAnswer(bool normalizeFirst, bool shareTokens, string positions)
    {
        using var model = Create(normalizeFirst, shareTokens, positions);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var (source, lengths, answer) = (Ids(1, 3, 7), tensor(new long[] { 7, 2, 5 }), Ids(2, 3, 6));
        var whole = model.call(new ModelBatch(source, Lengths: lengths, Decoder: answer));
        using var decoder = model.StartDecoding(new ModelBatch(source, Lengths: lengths));
        for (var place = 0; place < 6; place++)
        {
            TensorAssert.Close(whole[.., place], decoder.Append(answer[.., place].contiguous().data<long>().ToArray()), 1e-5, 1e-5, $"place {place}");
        }
    }

    [Fact, LeaksNoTensors]
    public void Trained_ToTurnATextRound_GeneratesIt()
    {
        manual_seed(2);
        using var model = new EncoderDecoder(new() { Features = 32, Heads = 4, EncoderLayers = 1, DecoderLayers = 1, Dropout = 0.05, AttentionDropout = 0.05 }, Sizes);
        using var optimizer = optim.AdamW(model.parameters(), 3e-3);
        for (var step = 0; step < 300; step++)
        {
            using var inner = NewDisposeScope();
            var (shifted, wanted) = Answers(Ids(100 + step, 32, 4));
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(model.call(new ModelBatch(Ids(100 + step, 32, 4), Decoder: shifted)).flatten(0, 1), wanted.flatten());
            CallbackGuard.Backward(loss);
            optimizer.step();
        }
        using var scope = NewDisposeScope();
        var source = Ids(7, 20, 4); // none of the seeds above
        var answers = model.Generate(source, Start, End, maxTokens: 6);
        var right = answers.Index().Count(pair => pair.Item.SequenceEqual(source[pair.Index].data<long>().ToArray().Reverse()));
        Assert.True(right >= 18, $"{right} of 20 texts were turned round");
        Assert.True(model.training);
        foreach (var parameter in model.parameters())
        {
            parameter.grad = null;
        }
    }

    [Fact]
    public void Forward_WithoutOrWithOtherAnswers_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        using var model = Create(true, false, "learned");
        Assert.Contains("ModelBatch.Decoder", Assert.Throws<ArgumentException>(() => model.call(Ids(1, 2, 3))).Message);
        Assert.Throws<ShapeException>(() => model.call(new ModelBatch(Ids(1, 2, 3), Decoder: Ids(1, 1, 3))));
        Assert.Throws<ShapeException>(() => model.call(new ModelBatch(Ids(1, 2, 3), Decoder: Ids(1, 2, 10))));
        Assert.Throws<ShapeException>(() => model.call(new ModelBatch(Ids(1, 2, 10), Decoder: Ids(1, 2, 3))));
        Assert.Throws<DataException>(() => model.call(new ModelBatch(Ids(1, 2, 3) + 10, Decoder: Ids(1, 2, 3))));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate(Ids(1, 2, 3), Start, End, 10));
        Assert.Throws<OptionsException>(() => new EncoderDecoder(new() { ShareTokens = true }, Sizes with { Outputs = 5 }));
        Assert.Throws<OptionsException>(() => new EncoderDecoder(new() { Features = 10, Heads = 4, Positions = "rotary" }, Sizes));
    }

    /// <summary>The text backwards and an end token, and the same behind a start token.</summary>
    private static (Tensor Shifted, Tensor Wanted) Answers(Tensor source)
    {
        var turned = source.flip(1);
        var (start, end) = (full([source.shape[0], 1], Start, ScalarType.Int64), full([source.shape[0], 1], End, ScalarType.Int64));
        return (cat([start, turned], 1), cat([turned, end], 1));
    }
}
