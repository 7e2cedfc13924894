namespace Nabla.Models.Tests;

public sealed class LanguageModelTests
{
    public static IEnumerable<TheoryDataRow<FamilyExample>> LanguageModels => FamilyExamples.LanguageModels;

    [Theory, MemberData(nameof(LanguageModels))]
    public void Logits_BeforeAChangedToken_StayTheSame(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = example.Create();
        model.eval();
        var ids = example.Inputs(2);                                  // [batch=2, time=9]
        var before = model.call(ids);                                 // [batch, time, vocab]
        for (var place = 0; place < 9; place++)
        {
            var changed = ids.clone();
            changed[.., place] = (ids[.., place] + 1).remainder(example.Input.Vocabulary);
            var after = model.call(changed);
            if (place > 0)
            {
                TensorAssert.Close(before[.., ..place], after[.., ..place], 1e-6, 1e-6, $"logits before the changed token {place}");
            }
            Assert.True((before[.., place] - after[.., place]).abs().max().ToDouble() > 1e-6, $"Token {place} has no effect on its own logits.");
        }
    }

    [Theory, MemberData(nameof(LanguageModels))]
    public void Decoder_FedInPieces_GivesTheLogitsOfTheWholeText(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = (LanguageModel)example.Create();
        model.eval();
        var ids = example.Inputs(1);
        var tokens = ids.data<long>().ToArray();
        var whole = model.call(ids)[0];                               // [time, vocab]
        using var decoder = model.StartDecoding();
        TensorAssert.Close(whole[2], decoder.Append(tokens.AsSpan(0, 3)), 1e-5, 1e-5, "first three tokens at once");
        for (var place = 3; place < tokens.Length; place++)
        {
            TensorAssert.Close(whole[place], decoder.Append([tokens[place]]), 1e-5, 1e-5, $"token {place}");
        }
    }

    [Fact]
    public void Gpt_WithALongerText_SeesItsLastTokensOnly()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = Small();
        model.eval();
        long[] tokens = [.. Enumerable.Range(0, 20).Select(i => (long)(i * 5 % 12))];
        using var decoder = model.StartDecoding();
        var expected = model.call(tensor(tokens[^9..]).unsqueeze(0))[0, 8];
        TensorAssert.Close(expected, decoder.Append(tokens), 1e-5, 1e-5);
    }

    [Theory]
    [InlineData("learned", null)]
    [InlineData("rotary", 1)]
    [InlineData("sinusoidal", 2)]
    public void Gpt_TokenByToken_GoesOnPastItsContext(string positions, int? keyValueHeads)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        manual_seed(3);
        using var model = new Gpt(
            new() { Features = 16, Layers = 2, Heads = 2, KeyValueHeads = keyValueHeads, Positions = positions }, new() { Task = ModelTasks.LanguageModeling, Vocabulary = 12, Outputs = 12, ContextLength = 9 });
        model.eval();
        long[] tokens = [.. Enumerable.Range(0, 20).Select(i => (long)(i * 5 % 12))];
        using var decoder = model.StartDecoding();
        decoder.Append(tokens.AsSpan(0, 2)).Dispose();
        decoder.Append(tokens.AsSpan(2, 3)).Dispose(); // several at once behind others
        for (var end = 6; end <= tokens.Length; end++)
        {
            var seen = tokens[Math.Max(0, end - 9)..end];
            if (end < 9)
            {
                Assert.Throws<DataException>(() => decoder.Append([99])); // a refused token leaves the text as it was
            }
            TensorAssert.Close(model.call(tensor(seen).unsqueeze(0))[0, seen.Length - 1], decoder.Append([tokens[end - 1]]), 1e-5, 1e-5, $"{end} tokens");
        }
    }

    [Fact]
    public void Gpt_OfNanoGptsSize_HasItsParameters()
    {
        var input = new ModelInput { Task = ModelTasks.LanguageModeling, Vocabulary = 65, Outputs = 65, ContextLength = 256 };
        using var model = new Gpt(new(), input);
        const long Width = 384, Block = (12 * Width * Width) + (13 * Width); // four products, their biases and two norms
        Assert.Equal((6 * Block) + (2 * Width) + ((65 + 256) * Width), model.ParameterCount);
        Assert.Equal(10.8, Math.Round(model.ParameterCount / 1e6, 1));
        using var untied = new Gpt(new() { TieHead = false }, input);
        Assert.Equal(model.ParameterCount + (65 * Width), untied.ParameterCount);
    }

    [Fact]
    public void Gpt_AtItsBeginning_ExpectsEveryTokenAlike()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var model = new Gpt(new() { Features = 64, Layers = 4, Heads = 4 }, new() { Task = ModelTasks.LanguageModeling, Vocabulary = 65, Outputs = 65, ContextLength = 32 });
        var ids = randint(0, 65, [8, 33], ScalarType.Int64);
        var loss = nn.functional.cross_entropy(model.call(ids[.., ..32]).flatten(0, 1), ids[.., 1..].flatten());
        Assert.InRange(loss.ToDouble(), Math.Log(65) - 0.1, Math.Log(65) + 0.1);
    }

    [Fact]
    public void Lstm_Parameters_AreTheSumOfItsParts()
    {
        using var model = ModelFamilies.Create("lstm", new RecurrentModelOptions { Embedding = 12, Hidden = 24 }, new() { Task = ModelTasks.LanguageModeling, Vocabulary = 30, Outputs = 30, ContextLength = 8 });
        Assert.Equal((30 * 12) + (4 * 24 * (12 + 24 + 2)) + (30 * 25), model.ParameterCount);
    }

    [Theory]
    [InlineData("is_bidirectional must be false", true, false)]
    [InlineData("tie_head needs embedding (128) equal to hidden (256)", false, true)]
    public void RecurrentLanguageModel_WithOptionsThatCannotWork_Throws(string expected, bool isBidirectional, bool tieHead)
    {
        var error = Assert.Throws<OptionsException>(() => ModelFamilies.Create(
            "gru",
            new RecurrentModelOptions { IsBidirectional = isBidirectional, TieHead = tieHead },
            new() { Task = ModelTasks.LanguageModeling, Vocabulary = 30, Outputs = 30, ContextLength = 8 }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt", 0, "[batch, time] with 1 to 9 tokens, got [2, 0].")]
    [InlineData("gpt", 10, "[batch, time] with 1 to 9 tokens, got [2, 10].")]
    [InlineData("lstm", 0, "[batch, time] with at least 1 token, got [2, 0].")]
    public void Forward_WithATextThatDoesNotFit_ThrowsShapeException(string family, long time, string expected)
    {
        using var scope = NewDisposeScope();
        using var model = ModelFamilies.Create(family, null, new() { Task = ModelTasks.LanguageModeling, Vocabulary = 12, ContextLength = 9, Outputs = 12 });
        Assert.Contains(expected, Assert.Throws<ShapeException>(() => model.call(zeros([2, time], ScalarType.Int64))).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(LanguageModels))]
    public void Forward_WithAnUnknownToken_ThrowsAndNamesIt(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var model = example.Create();
        var error = Assert.Throws<DataException>(() => model.call(full([1, 3], 12, ScalarType.Int64)));
        Assert.Contains("12", error.Message, StringComparison.Ordinal);
    }

    private static Gpt Small()
    {
        manual_seed(2);
        return new(new() { Features = 16, Layers = 2, Heads = 2 }, new() { Task = ModelTasks.LanguageModeling, Vocabulary = 12, ContextLength = 9, Outputs = 12 });
    }

    [Fact]
    public void PackedRows_GiveEachTextTheLogitsItHasAlone()
    {
        var tried = 0;
        foreach (var example in FamilyExamples.All.Where(example => example.Input.Task == ModelTasks.LanguageModeling && ModelFamilies.Find(example.Family).TakesPackedRows))
        {
            using var model = example.Create();
            model.eval();
            using var scope = NewDisposeScope();
            long[] lengths = [2, 4, 3];
            var ids = example.Inputs(1);                                        // [1, time=9]
            var documents = tensor(lengths.SelectMany((length, i) => Enumerable.Repeat(i + 1L, (int)length)).ToArray()).unsqueeze(0);
            var positions = cat([.. lengths.Select(length => arange(length, ScalarType.Int64))]).unsqueeze(0);
            var packed = model.call(new ModelBatch(ids) { Documents = documents, Positions = positions });
            var start = 0L;
            foreach (var length in lengths)
            {
                TensorAssert.Close(model.call(ids.narrow(1, start, length)), packed.narrow(1, start, length), 1e-5, 1e-5, $"{example}, text at {start}");
                start += length;
            }
            tried++;
        }
        Assert.True(tried >= 3);
    }
}
