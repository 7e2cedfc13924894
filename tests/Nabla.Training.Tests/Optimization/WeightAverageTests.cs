using TorchSharp.Modules;

namespace Nabla.Training.Tests;

[LeaksNoTensors]
public sealed class WeightAverageTests
{
    private static Sequential Model(ScalarType dtype = ScalarType.Float32)
    {
        var model = nn.Sequential(("linear", nn.Linear(3, 2)), ("norm", nn.BatchNorm1d(2)));
        return dtype == ScalarType.Float32 ? model : (Sequential)model.to(dtype);
    }

    private static void Fill(nn.Module module, double value)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var tensor in module.parameters().Select(parameter => (Tensor)parameter).Concat(module.buffers()))
        {
            tensor.fill_(value);
        }
    }

    [Fact]
    public void Apply_ThenDispose_RestoresWeightsAndBuffersBitForBit()
    {
        using var model = Model();
        using var average = new WeightAverage(model, new() { Decay = 0.5 });
        Fill(model, 1);
        average.Update();
        Fill(model, 3);
        average.Update();
        using (average.Apply())
        {
            Assert.True(average.IsApplied);
            using var scope = NewDisposeScope();
            TensorAssert.Close(full([2, 3], 2.0), model.state_dict()["linear.weight"], 0, 0, "parameters are averaged");
            TensorAssert.Close(full([2], 3.0), model.state_dict()["norm.running_mean"], 0, 0, "buffers are those of the last update");
            Assert.Throws<InvalidOperationException>(average.Update);
            Assert.Throws<InvalidOperationException>(average.Apply);
            Fill(model, 9); // what an evaluation might do
        }
        using var after = NewDisposeScope();
        Assert.All(model.state_dict().Values, value => Assert.True(value.eq(3).all().item<bool>()));
        Assert.Equal(2, average.State["linear.weight"].max().item<float>());
    }

    [Fact]
    public void SaveState_ThenLoadState_ContinuesBitForBit()
    {
        using var model = Model();
        using WeightAverage first = new(model, new() { Decay = 0.9, Warmup = WeightAverageWarmup.Rational }), second = new(model, new() { Decay = 0.9, Warmup = WeightAverageWarmup.Rational });
        using var scope = NewDisposeScope();
        Fill(model, 0.1);
        first.Update();
        Fill(model, 0.7);
        first.Update();
        second.LoadState(first.SaveState());
        Fill(model, -0.3);
        first.Update();
        second.Update();
        Assert.Equal(3, second.Updates);
        Assert.All(first.State, entry => TensorAssert.Equal(entry.Value, second.State[entry.Key], entry.Key));
    }

    [Fact]
    public void LoadState_ThatDoesNotFit_NamesEveryDifference()
    {
        using var model = Model();
        using var average = new WeightAverage(model, new());
        using var scope = NewDisposeScope();
        var state = average.SaveState().ToDictionary();
        state.Remove("updates");
        state["average.linear.weight"] = zeros(1);
        state["average.other"] = zeros(1);
        var error = Assert.Throws<CheckpointException>(() => average.LoadState(state));
        Assert.Contains("3 differences", error.Message);
        Assert.Contains("'average.linear.weight' has shape [1], expected [2, 3]", error.Message);
    }

    [Fact]
    public void Update_OfHalfPrecisionWeights_DoesNotLoseSmallSteps()
    {
        using var model = Model(ScalarType.BFloat16);
        using var average = new WeightAverage(model, new() { Decay = 0.999 });
        Fill(model, 1);
        average.Update();
        Fill(model, 2);
        for (var i = 0; i < 100; i++)
        {
            average.Update();
        }
        using var scope = NewDisposeScope();
        Assert.Equal(2 - Math.Pow(0.999, 100), average.State["linear.weight"].max().item<float>(), 1e-5);
    }
}
