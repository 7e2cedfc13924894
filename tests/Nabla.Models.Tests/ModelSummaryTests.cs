using System.Text.Json;

namespace Nabla.Models.Tests;

public sealed class ModelSummaryTests
{
    [Fact]
    public void Of_SmallCnn_CountsParametersAndMultiplyAddsByHand()
    {
        using var scope = NewDisposeScope();
        using var model = new Cnn(
            new() { Channels = [4, 8], Hidden = [16] },
            new() { Task = ModelTasks.ImageClassification, Channels = 1, Height = 8, Width = 8, Outputs = 10 });
        var summary = ModelSummary.Of(model, zeros(2, 1, 8, 8));
        long convolutions = (2 * 4 * 64 * 9) + (2 * 8 * 16 * 4 * 9), norms = 2 * ((2 * 4 * 64) + (2 * 8 * 16)), dense = (2 * 32 * 16) + (2 * 16 * 10);
        Assert.Equal(convolutions + norms + dense, summary.MultiplyAdds);
        Assert.Equal((4 * 9) + 8 + (8 * 4 * 9) + 16 + (33 * 16) + (17 * 10), summary.Parameters);
        Assert.Equal(summary.Parameters, summary.TrainableParameters);
        Assert.Equal(summary.Parameters, summary.Layers.Sum(layer => layer.Parameters));
        Assert.Equal(model.ParameterCount, summary.Parameters);
        Assert.Equal([2L, 8, 2, 2], summary.Layers.Single(layer => layer.Path == "blocks.1").OutputShapes[0]);
        Assert.Equal(4 * summary.Parameters, summary.Memory.Gradients);
        Assert.True(model.training);
    }

    [Fact]
    public void Of_ResNet18ForImageNet_HasThePublishedMultiplyAdds()
    {
        using var scope = NewDisposeScope();
        using var model = new ResNet(new(), new() { Task = ModelTasks.ImageClassification, Channels = 3, Height = 224, Width = 224, Outputs = 1000 });
        var summary = ModelSummary.Of(model, zeros(1, 3, 224, 224));
        // He et al. (2015), table 1: 1.8e9; fvcore and torchinfo: 1.814e9 without norms.
        Assert.InRange(summary.MultiplyAdds, 1.81e9, 1.83e9);
    }

    [Theory, MemberData(nameof(FamilyConformanceTests.Examples), MemberType = typeof(FamilyConformanceTests))]
    public void Of_AnyFamily_AddsUp_ScalesWithTheBatch_AndRemovesItsHooks(FamilyExample example)
    {
        using var scope = NewDisposeScope();
        using var model = example.Create();
        var (two, four) = (ModelSummary.Of(model, example.Batch(example.Inputs(2))), ModelSummary.Of(model, example.Batch(example.Inputs(4))));
        Assert.Equal(model.ParameterCount, two.Layers.Sum(layer => layer.Parameters));
        Assert.True(two.MultiplyAdds > 0);
        Assert.Equal(2 * two.MultiplyAdds, four.MultiplyAdds);
        Assert.Equal(example.OutputShape(2), two.Layers[0].OutputShapes[0]);
        Assert.All(two.Layers.Where(layer => layer.IsLeaf && layer.Parameters > 0), layer => Assert.True(layer.Calls > 0, $"{layer.Path} has parameters and was not called."));
    }

    [Fact]
    public void Of_WithFrozenParameters_CountsThemApart()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp(new() { Hidden = [8] }, new() { Task = ModelTasks.TabularRegression, Features = 3, Outputs = 1 });
        model.parameters().First().requires_grad = false;
        var summary = ModelSummary.Of(model, zeros(1, 3));
        Assert.Equal(24, summary.FrozenParameters);
        Assert.Equal(4 * (summary.Parameters - 24), summary.Memory.Gradients);
    }

    [Fact]
    public void Of_Twice_LeaksNoTensors()
    {
        using var model = new Mlp(new() { Hidden = [8] }, new() { Task = ModelTasks.TabularRegression, Features = 3, Outputs = 1 });
        using var x = zeros(1, 3);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        ModelSummary.Of(model, x);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void ToText_IsAnAlignedTable()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp(new() { Hidden = [8] }, new() { Task = ModelTasks.TabularClassification, Features = 3, Outputs = 2 });
        var summary = ModelSummary.Of(model, zeros(5, 3));
        Assert.Equal(
            """
            layer     type      output  parameters  multiply-adds
            (model)   Mlp       [5, 2]           -              -
            blocks.0  MlpBlock  [5, 8]           -              -
              linear  Linear    [5, 8]          32            120
            head      Linear    [5, 2]          18             80

            inputs         [5, 3]
            parameters     50 (50 trained, 0 frozen)
            multiply-adds  200
            memory         1.0 KiB = parameters 0.2 KiB + gradients 0.2 KiB + optimizer 0.4 KiB + activations 0.2 KiB (estimated)

            """,
            summary.ToText());
        Assert.Contains("blocks.0  MlpBlock  [5, 8]          32            120\nhead", summary.ToText(1), StringComparison.Ordinal);
        Assert.Contains("(model)  Mlp   [5, 2]          50            200\n\n", summary.ToText(0), StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_SurvivesJson()
    {
        using var scope = NewDisposeScope();
        using var model = new Mlp(new() { Hidden = [8] }, new() { Task = ModelTasks.TabularClassification, Features = 3, Outputs = 2 });
        var summary = ModelSummary.Of(model, zeros(5, 3));
        var again = JsonSerializer.Deserialize<ModelSummary>(JsonSerializer.Serialize(summary))!;
        Assert.Equal(summary.ToText(), again.ToText());
    }
}
