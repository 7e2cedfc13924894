namespace Nabla.Models.Tests;

public sealed class ModelFamiliesTests
{
    private static readonly ModelInput Picture = new() { Task = ModelTasks.ImageClassification, Channels = 1, Height = 8, Width = 8, Outputs = 10 };

    [Fact]
    public void Find_UnknownName_NamesTheNearest()
    {
        var error = Assert.Throws<OptionsException>(() => ModelFamilies.Find("resnett"));
        Assert.StartsWith("model: family 'resnett' is not known. Did you mean 'resnet'? Valid: mlp, cnn, resnet", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFamily_HasDefaultOptionsThatAreValid_AndATask()
    {
        foreach (var family in ModelFamilies.All)
        {
            var options = family.CreateOptions();
            Assert.IsType(family.OptionsType, options);
            options.GetType().GetMethod("Validate")!.Invoke(options, null);
            Assert.NotEmpty(family.Tasks);
            Assert.Empty(family.Tasks.Except(ModelTasks.All));
            Assert.Same(family, ModelFamilies.Find(family.Name));
        }
    }

    [Fact]
    public void EveryTask_HasAFamily() => Assert.All(ModelTasks.All, task => Assert.NotEmpty(ModelFamilies.For(task)));

    [Fact]
    public void Create_ForATaskTheFamilyCannotDo_NamesThoseThatCan()
    {
        var error = Assert.Throws<OptionsException>(() => ModelFamilies.Create("text-cnn", null, Picture));
        Assert.Contains("Family 'text-cnn' cannot do image-classification; it does text-classification. Families for image-classification: mlp, cnn, resnet.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithOptionsOfAnotherFamily_Throws()
        => Assert.Throws<ArgumentException>(() => ModelFamilies.Create("cnn", new MlpOptions(), Picture));

    [Fact]
    public void Create_WithSeveralWrongOptions_ReportsAll()
    {
        var error = Assert.Throws<OptionsException>(() => ModelFamilies.Create("cnn", new CnnOptions { Channels = [], KernelSize = 2, Pooling = "maxx", Dropout = 1 }, Picture));
        Assert.Equal(4, error.Problems.Count);
        Assert.Contains("pooling 'maxx' is not known. Did you mean 'max'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cnn_WithMoreHalvingsThanThePictureHas_SaysSo()
    {
        var error = Assert.Throws<OptionsException>(() => ModelFamilies.Create("cnn", new CnnOptions { Channels = [4, 4, 4, 4] }, Picture));
        Assert.Contains("8x8 pixels are used up", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ModelTasks.ImageClassification, "channels, height and width")]
    [InlineData(ModelTasks.TextClassification, "vocabulary")]
    [InlineData(ModelTasks.LanguageModeling, "context_length")]
    [InlineData(ModelTasks.TabularClassification, "features or category_sizes")]
    [InlineData("image-clasification", "Did you mean 'image-classification'?")]
    public void ModelInput_WithoutTheSizesOfItsTask_NamesThem(string task, string expected)
    {
        var error = Assert.Throws<OptionsException>(() => new ModelInput { Task = task, Outputs = 2 }.Validate());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cnn", "Cnn.forward: expected [batch, channels=1, height=8, width=8], got [2, 1, 8, 9].")]
    [InlineData("mlp", "Mlp.forward: expected [batch, features=64], got [2, 1, 8, 9].")]
    public void Forward_WithAWrongPictureSize_ThrowsShapeException(string family, string expected)
    {
        using var scope = NewDisposeScope();
        using var model = ModelFamilies.Create(family, null, Picture);
        Assert.StartsWith(expected, Assert.Throws<ShapeException>(() => model.call(zeros(2, 1, 8, 9))).Message, StringComparison.Ordinal);
    }
}
