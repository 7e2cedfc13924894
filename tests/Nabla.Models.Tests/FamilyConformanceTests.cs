using static TorchSharp.torch.nn;

namespace Nabla.Models.Tests;

/// <summary>What holds for a model of any family.</summary>
public sealed class FamilyConformanceTests
{
    public static IEnumerable<TheoryDataRow<FamilyExample>> Examples => FamilyExamples.Rows;

    public static IEnumerable<TheoryDataRow<FamilyExample>> TextClassifiers => FamilyExamples.Classifiers;

    [Fact]
    public void Examples_OfEveryFamily_Exist()
        => Assert.Equal(ModelFamilies.All.Select(family => family.Name).Order(), FamilyExamples.All.Select(example => example.Family).Distinct().Order());

    [Theory, MemberData(nameof(Examples))]
    public void Model_OfAnyFamily_PassesLayerConformance(FamilyExample example)
    {
        LayerConformance.Check(new LayerCheck<Model>
        {
            Create = example.Create,
            Input = example.Inputs,
            Forward = (model, x) =>
            {
                using var scope = NewDisposeScope();
                return model.call(example.Batch(x)).MoveToOuterDisposeScope();
            },
            OutputShape = example.OutputShape,
            SmallestTrainingBatch = example.SmallestTrainingBatch,
            DifferentiatesInput = example.Input.Features > 0 || example.Input.Channels > 0,
        });
    }

    [Theory, MemberData(nameof(Examples))]
    public void Model_OnOneBatch_LearnsItByHeart(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var model = example.Create();
        var batch = example.Batch(example.Inputs(8));
        using var optimizer = optim.Adam(model.parameters(), example.LearningRate);
        var isRegression = example.Input.Task == ModelTasks.TabularRegression;
        var target = isRegression ? linspace(-1, 1, 8) : Answers(example);
        double first = double.NaN, last = double.NaN;
        for (var step = 0; step < 60; step++)
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            var output = model.call(batch);
            var loss = isRegression
                ? functional.mse_loss(output, target)
                : functional.cross_entropy(output.reshape(-1, example.Input.Outputs), target.flatten());
            loss.backward();
            optimizer.step();
            last = loss.ToDouble();
            first = step == 0 ? last : first;
        }
        Assert.True(last < 0.25 * first, $"The loss of one batch went from {first} to {last} only.");
    }

    [Theory, MemberData(nameof(Examples))]
    public void Model_UnderAutocast_AnswersNearlyTheSame_AndAllGradientsAreFinite(FamilyExample example)
    {
        Assert.SkipUnless(Autocast.IsAvailable, "autocast is not available: " + Autocast.UnavailableReason);
        using var scope = NewDisposeScope();
        using var model = example.Create();
        model.eval();
        var batch = example.Batch(example.Inputs(8));
        var exact = model.call(batch);
        Tensor output;
        using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
        {
            output = model.call(batch).to_type(ScalarType.Float32);
        }
        TensorAssert.Close(exact, output, 0.05, 0.05, "bfloat16 against float32"); // bfloat16 has 8 bits: 0.4 % an operation
        output.square().sum().backward();
        foreach (var (name, parameter) in model.named_parameters())
        {
            TensorAssert.Finite(parameter.grad!, $"gradient of {name}");
            Assert.Equal(ScalarType.Float32, parameter.grad!.dtype);
        }
    }

    [Theory, MemberData(nameof(Examples))]
    public void Model_FromEqualSeeds_HasEqualWeights(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var first = example.Create();
        using var second = example.Create();
        foreach (var ((name, left), (_, right)) in first.named_parameters().Zip(second.named_parameters()))
        {
            TensorAssert.Equal(left, right, name);
        }
    }

    [Theory, MemberData(nameof(TextClassifiers))]
    public void TextClassifier_WithMorePadding_AnswersTheSame(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = example.Create();
        model.eval();
        var ids = example.Inputs(4);                                                       // [batch=4, time=9]
        var lengths = tensor(new long[] { 1, 3, 6, 4 });
        var mask = arange(9).unsqueeze(0).lt(lengths.unsqueeze(1));                        // [batch, time]
        var other = where(mask, ids, (ids + 5).remainder(example.Input.Vocabulary));       // other tokens where there is padding
        var expected = model.call(new ModelBatch(ids, Mask: mask));
        TensorAssert.Close(expected, model.call(new ModelBatch(other, Mask: mask)), 1e-6, 1e-6, "other padding tokens");
        TensorAssert.Close(expected, model.call(new ModelBatch(ids, Lengths: lengths)), 1e-6, 1e-6, "lengths instead of a mask");
        TensorAssert.Close(expected, model.call(new ModelBatch(ids[.., ..6], Mask: mask[.., ..6])), 1e-5, 1e-5, "less padding");
        for (var row = 0; row < 4; row++)
        {
            var length = lengths[row].item<long>();
            TensorAssert.Close(expected[row], model.call(ids[row..(row + 1), ..(int)length])[0], 1e-5, 1e-5, $"row {row} alone, without padding");
        }
    }

    [Theory, MemberData(nameof(TextClassifiers))]
    public void TextClassifier_OnATextWithoutTokens_StaysFinite(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var model = example.Create();
        var ids = example.Inputs(2);
        var output = model.call(new ModelBatch(ids, Mask: stack([zeros_like(ids[0], ScalarType.Bool), ones_like(ids[0], ScalarType.Bool)])));
        output.sum().backward();
        TensorAssert.Finite(output, "logits");
        foreach (var (name, parameter) in model.named_parameters())
        {
            TensorAssert.Finite(parameter.grad!, $"gradient of {name}");
        }
    }

    [Theory, MemberData(nameof(TextClassifiers))]
    public void TextClassifier_WithAnUnknownToken_ThrowsAndNamesIt(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var model = example.Create();
        Assert.Contains("20", Assert.Throws<DataException>(() => model.call(full([1, 3], 20, ScalarType.Int64))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mlp_WithAnUnknownCategory_ThrowsAndNamesIt()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFamilies.Create("mlp", null, new() { Task = ModelTasks.TabularClassification, CategorySizes = [3, 4], Outputs = 2 });
        var batch = new ModelBatch(zeros(2, 0), Categories: tensor(new long[,] { { 0, 1 }, { 2, 7 } }));
        Assert.Contains("7", Assert.Throws<DataException>(() => model.call(batch)).Message, StringComparison.Ordinal);
    }

    private static Tensor Answers(FamilyExample example)
    {
        using var generator = new Generator(5);
        return example.Input.Task is ModelTasks.LanguageModeling or ModelTasks.SequenceToSequence
            ? randint(0, example.Input.Outputs, [8, example.Input.ContextLength], ScalarType.Int64, generator: generator)
            : arange(8, dtype: ScalarType.Int64).remainder(example.Input.Outputs);
    }
}
