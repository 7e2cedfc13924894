namespace Nabla.Models.Tests;

/// <summary>Numbers of parameters against published figures and closed forms.</summary>
public sealed class ParameterCountTests
{
    // torchvision's documentation of its models with 1,000 classes.
    [Theory]
    [InlineData(18, 11_689_512)]
    [InlineData(34, 21_797_672)]
    [InlineData(50, 25_557_032)]
    public void ResNet_ForImageNet_HasTorchvisionsCount(int depth, long expected)
    {
        using var model = new ResNet(new() { Depth = depth }, new() { Task = ModelTasks.ImageClassification, Channels = 3, Height = 224, Width = 224, Outputs = 1000 });
        Assert.Equal(expected, model.ParameterCount);
        var keys = model.state_dict().Keys;
        Assert.Contains("layer2.0.downsample.0.weight", keys); // torchvision's keys
        Assert.Contains("bn1.num_batches_tracked", keys);
    }

    [Fact]
    public void Mlp_WithCategories_HasTheSumOfItsParts()
    {
        using var model = new Mlp(new() { Hidden = [16, 8] }, new() { Task = ModelTasks.TabularClassification, Features = 5, CategorySizes = [4, 7, 200], Outputs = 3 });
        var width = 5 + 2 + 4 + 50; // (n + 1) / 2, at most 50
        Assert.Equal((4 * 2) + (7 * 4) + (200 * 50) + ((width + 1) * 16) + (17 * 8) + (9 * 3), model.ParameterCount);
    }

    [Fact]
    public void TextCnn_WithKimsSizes_HasTheSumOfItsParts()
    {
        using var model = new TextCnn(new() { Embedding = 300 }, new() { Task = ModelTasks.TextClassification, Vocabulary = 1000, ContextLength = 50, Outputs = 2 });
        Assert.Equal((1000 * 300) + (((3 + 4 + 5) * 300 * 100) + 300) + ((300 * 2) + 2), model.ParameterCount);
    }
}
