using Nabla.Core;

namespace Nabla.Data.Tests;

/// <summary>The real data sets, with the counts that the README of the data folder states.</summary>
public class DataSetsTests
{
    private static T Load<T>(string name) where T : LoadedData => Assert.IsType<T>(DataSets.Load(name, SharedData.Require()));

    [Fact]
    public void FashionMnist_HasItsCountsAndFirstPicture()
    {
        using var data = Load<ImageData>("fashion-mnist");
        Assert.Equal((60000, 10000), (data.Counts["train"], data.Counts["test"]));
        Assert.Equal([60000, 1, 28, 28], data.Train.Images.shape);
        Assert.Equal([10000, 1, 28, 28], data.Test!.Images.shape);
        Assert.Equal([9, 0, 0, 3], data.Train.Labels[..4]);
        Assert.Equal("Ankle boot", data.Classes[9]);
        Assert.All(data.Train.Labels.CountBy(label => label), count => Assert.Equal(6000, count.Value));
        Assert.All(data.Test.Labels.CountBy(label => label), count => Assert.Equal(1000, count.Value));
        using var scope = torch.NewDisposeScope();
        // Mean 0.2860 and deviation 0.3530 of the pixels are the figures everybody normalises with.
        var pixels = data.Train.Images.to_type(torch.ScalarType.Float32) / 255;
        Assert.Equal(0.2860, pixels.mean().item<float>(), 1e-4);
        Assert.Equal(0.3530, pixels.std().item<float>(), 1e-4);
    }

    [Fact]
    public void FashionMnist_HoldOut_KeepsEveryPictureWithItsLabel()
    {
        using var whole = Load<ImageData>("fashion-mnist");
        using var picture = whole.Train.Images[17].clone();
        var label = whole.Train.Labels[17];
        using var data = whole.HoldOut(new() { Validation = 0.1, Strategy = "stratified", Seed = 5 });
        Assert.Equal((54000, 6000, 10000), (data.Counts["train"], data.Counts["validation"], data.Counts["test"]));
        Assert.All(data.Validation!.Labels.CountBy(one => one), count => Assert.Equal(600, count.Value));
        var found = false;
        foreach (var part in new[] { data.Train, data.Validation })
        {
            using var scope = torch.NewDisposeScope();
            var same = (part.Images == picture.unsqueeze(0)).flatten(1).all(1).nonzero();
            found |= same.shape[0] > 0 && part.Labels[same[0, 0].item<long>()] == label;
        }
        Assert.True(found);
    }

    [Fact]
    public void TinyShakespeare_HasTheLastTenthAsValidation()
    {
        using var data = Load<TextData>("tinyshakespeare");
        Assert.Equal(1003854, data.Train.Length); // floor(0.9 * 1115394)
        Assert.Equal(111540, data.Validation!.Length);
        Assert.StartsWith("First Citizen:\nBefore we proceed", data.Train, StringComparison.Ordinal);
        Assert.Equal(65, (data.Train + data.Validation).Distinct().Count());
        using var anew = data.HoldOut(new() { Validation = 0.05, Test = 0.05 });
        Assert.Equal(data.Train + data.Validation, anew.Train + anew.Validation + anew.Test);
        Assert.Equal(55770, anew.Test!.Length);
    }

    [Fact]
    public void Names_HasItsLines()
    {
        using var data = Load<LineData>("names");
        Assert.Equal(32033, data.Train.Length);
        Assert.Equal(("emma", "zzyzx"), (data.Train[0], data.Train[^1]));
        using var held = data.HoldOut(new() { Validation = 0.1 });
        Assert.Equal((28830, 3203), (held.Train.Length, held.Validation!.Length));
    }

    [Fact]
    public void Sst2_HasItsSplits()
    {
        using var data = Load<TextClassificationData>("sst2");
        Assert.Equal((60614, 6735, 872), (data.Train.Texts.Length, data.Validation!.Texts.Length, data.Test!.Texts.Length));
        Assert.Equal("it 's a charming and often affecting journey .", data.Test.Texts[0]);
        Assert.Equal([1, 0], data.Test.Labels[..2]);
        Assert.Equal(444, data.Test.Labels.Count(label => label == 1)); // the labelled GLUE development set has 444 positive sentences
        Assert.Equal(["negative", "positive"], data.Classes);
        var error = Assert.Throws<DataException>(() => data.HoldOut(new() { Validation = 0.1 }));
        Assert.Contains("has a validation split of its own (6735 examples)", error.Message, StringComparison.Ordinal);
        Assert.Null(data.HoldOut(new() { Validation = 0 }).Validation);
    }

    [Fact]
    public void CaliforniaHousing_HasItsRowsAndGaps()
    {
        using var data = Load<TabularData>("california-housing");
        Assert.Equal((20640, 10), (data.Train.Rows, data.Train.Columns.Count));
        Assert.Equal(207, data.Train["total_bedrooms"].MissingCount);
        Assert.Equal(5, ((CategoryColumn)data.Train["ocean_proximity"]).Values.Count(value => value == "ISLAND"));
        Assert.False(data.IsClassification);
    }

    [Fact]
    public void WineQuality_HasBothColours()
    {
        using var data = Load<TabularData>("wine-quality");
        Assert.Equal((6497, 13), (data.Train.Rows, data.Train.Columns.Count));
        Assert.Equal(1599, ((CategoryColumn)data.Train["colour"]).Values.Count(value => value == "red"));
        Assert.Equal((3, 9), (((NumberColumn)data.Train["quality"]).Values.Min(), ((NumberColumn)data.Train["quality"]).Values.Max()));
    }

    [Fact]
    public void Adult_HasItsSplitsAndOneSpellingOfTheLabels()
    {
        using var data = Load<TabularData>("adult");
        Assert.Equal((32561, 16281, 15), (data.Train.Rows, data.Test!.Rows, data.Train.Columns.Count));
        Assert.Equal(7841, ((CategoryColumn)data.Train["income"]).Values.Count(value => value == ">50K"));
        Assert.Equal(3846, ((CategoryColumn)data.Test["income"]).Values.Count(value => value == ">50K"));
        Assert.Equal(1836, data.Train["workclass"].MissingCount);
        var encoder = TableEncoder.Fit(data.Train, data.EncoderOptions);
        Assert.Equal(["<=50K", ">50K"], encoder.Classes);
        Assert.Equal(3846, encoder.Encode(data.Test).Classes!.Sum());
    }

    [Fact]
    public void GermanCredit_HasItsClasses()
    {
        using var data = Load<TabularData>("german-credit");
        Assert.Equal((1000, 21), (data.Train.Rows, data.Train.Columns.Count));
        Assert.Equal(700, ((CategoryColumn)data.Train["credit"]).Values.Count(value => value == "good"));
        Assert.Equal(7, data.Train.Columns.Count(column => column.Kind == ColumnKind.Number));
    }

    [Fact]
    public void Iris_HoldOutThenEncode_WorksFromEndToEnd()
    {
        using var data = Load<TabularData>("iris").HoldOut(new() { Validation = 0.2, Test = 0.2, Strategy = "stratified" });
        Assert.Equal((90, 30, 30), (data.Train.Rows, data.Validation!.Rows, data.Test!.Rows));
        var encoder = TableEncoder.Fit(data.Train, data.EncoderOptions);
        Assert.Equal(4, encoder.FeatureNames.Count);
        Assert.Equal(10, encoder.Encode(data.Test).Classes!.Count(id => id == 2));
        Assert.EndsWith("iris.csv, line 150", Load<TabularData>("iris").Train.Place(149), StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_IsDrawnInItsSplits()
    {
        using var data = DataSets.Shapes(new() { Train = 40, Test = 16 });
        Assert.Equal([40, 3, 32, 32], data.Train.Images.shape);
        Assert.Equal((40, 16), (data.Counts["train"], data.Counts["test"]));
        Assert.Equal(8, data.Classes.Count);
        using var other = DataSets.Shapes(new() { Train = 40, Test = 16, Seed = 1 });
        Assert.NotEqual(data.ContentHash, other.ContentHash);
    }

    [Fact]
    public void Shapes_ByName_HasTheCataloguedHash()
    {
        using var data = Assert.IsType<ImageData>(DataSets.Load("shapes"));
        Assert.Equal(Data.Catalogue.Find("shapes").ContentHash(), data.ContentHash);
        Assert.Equal(Data.Catalogue.Find("shapes").Splits, data.Counts.Keys);
        Assert.Equal((6000, 1000), (data.Counts["train"], data.Counts["test"]));
    }
}
