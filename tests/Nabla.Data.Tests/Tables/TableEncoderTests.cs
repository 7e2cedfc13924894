using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public class TableEncoderTests
{
    private static readonly Table Small = new(
    [
        new NumberColumn("size", [1, 2, double.NaN, 4, 5]),
        new NumberColumn("age", [10, 20, 30, 40, 100]),
        new CategoryColumn("colour", ["red", "blue", "red", null, "green"]),
        new CategoryColumn("kind", ["yes", "no", "yes", "no", "yes"]),
    ], "small");

    private static TableEncoderOptions Options => new() { Target = "kind", IsClassification = true };

    [Fact]
    public void Encode_Standard_IsTheClosedForm()
    {
        var encoder = TableEncoder.Fit(Small, Options);
        var encoded = encoder.Encode(Small);

        // size without the missing one: mean 3, variance 2.5; median 3, so the missing one becomes 0. age: mean 40, variance 1000.
        var (size, age) = (Math.Sqrt(2.5), Math.Sqrt(1000));
        double[] expected =
        [
            -2 / size, 0, -30 / age,
            -1 / size, 0, -20 / age,
            0, 1, -10 / age,
            1 / size, 0, 0,
            2 / size, 0, 60 / age,
        ];
        Assert.Equal(["size", "size (missing)", "age"], encoder.FeatureNames);
        Assert.Equal(3, encoded.Features);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], encoded.Numbers[i], 1e-6);
        }
        Assert.Equal([3, 1, 3, 0, 2], encoded.Categories); // blue 1, green 2, red 3, missing 0
        Assert.Equal([4], encoder.CategorySizes);
        Assert.Equal(["no", "yes"], encoder.Classes);
        Assert.Equal([1, 0, 1, 0, 1], encoded.Classes!);
    }

    [Theory]
    [InlineData("min-max", new[] { 0, 1.0 / 9, 2.0 / 9, 3.0 / 9, 1 })]
    [InlineData("robust", new[] { -1, -0.5, 0, 0.5, 3.5 })] // median 30, quartiles 20 and 40
    [InlineData("none", new double[] { 10, 20, 30, 40, 100 })]
    public void Encode_OtherScalers_AreTheirClosedForms(string scaler, double[] expected)
    {
        var encoder = TableEncoder.Fit(Small.Without("size"), Options with { Scaler = scaler });
        var numbers = encoder.Encode(Small.Without("size")).Numbers;
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], numbers[i], 1e-6);
        }
    }

    [Fact]
    public void Encode_Quantile_GivesNormalQuantilesOfTheRanks()
    {
        // 101 equally spaced values in shuffled order: the share below the k-th is k/100.
        var values = RandomStream.At(3, RandomPurpose.Other).Permutation(101).Select(value => value * 7.0).ToArray();
        var table = new Table([new NumberColumn("x", values), new NumberColumn("y", values)]);
        var encoder = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, Scaler = "quantile" });
        double At(double x) => encoder.Encode(new Table([new NumberColumn("x", [x])]), withTarget: false).Numbers[0];

        Assert.Equal(0, At(350), 1e-6);
        Assert.Equal(1.959963984540054, At(700 * 0.975), 1e-5);
        Assert.Equal(-1.2815515655446004, At(70), 1e-5);
        Assert.Equal(-5.199337582187471, At(-1000), 1e-5); // the bound: quantile of 1e-7
        Assert.Equal(5.199337582187471, At(1e9), 1e-5);
    }

    [Fact]
    public void Encode_QuantileOfManyEqualValues_GivesTheMiddleOfTheirRange()
    {
        double[] values = [.. Enumerable.Repeat(0.0, 50), .. Enumerable.Range(1, 50).Select(i => (double)i)];
        var table = new Table([new NumberColumn("x", values), new NumberColumn("y", values)]);
        var encoded = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, Scaler = "quantile" }).Encode(table);
        Assert.Equal(NormalDistribution.Quantile(0.5 * 49 / 99), encoded.Numbers[0], 1e-5); // zeros stand at shares 0 to 49/99
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963984540054)]
    [InlineData(0.2, -0.8416212335729142)]
    [InlineData(0.001, -3.090232306167813)]
    [InlineData(1e-12, -7.034483825301131)]
    [InlineData(1e-300, -37.0471)]
    public void NormalQuantile_KnownPoints_Agree(double share, double expected)
        => Assert.Equal(expected, NormalDistribution.Quantile(share), Math.Abs(expected) > 30 ? 1e-4 : 1e-12);

    [Fact]
    public void Encode_LogColumns_AreSignedLogarithms()
    {
        double[] values = [0, Math.E - 1, -(Math.E - 1), 99];
        var table = new Table([new NumberColumn("x", values), new NumberColumn("y", values)]);
        var encoded = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, Scaler = "none", LogColumns = ["x"] }).Encode(table);
        Assert.Equal([0f, 1f, -1f, (float)Math.Log(100)], encoded.Numbers);
    }

    [Fact]
    public void Fit_MeanImputationAndNoIndicator_AreFollowed()
    {
        var table = new Table([new NumberColumn("x", [0, 0, 9, double.NaN]), new NumberColumn("y", [1, 2, 3, 4])]);
        var encoder = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, Scaler = "none", Imputation = "mean", MissingIndicator = false });
        Assert.Equal([0f, 0f, 9f, 3f], encoder.Encode(table).Numbers);
    }

    [Fact]
    public void Fit_ConstantAndEmptyColumns_GiveZeros()
    {
        var table = new Table([new NumberColumn("c", [7.1, 7.1, 7.1]), new NumberColumn("e", [double.NaN, double.NaN, double.NaN]), new NumberColumn("y", [1, 2, 3])]);
        var encoded = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, MissingIndicator = false }).Encode(table);
        Assert.All(encoded.Numbers, value => Assert.Equal(0, value, 1e-5));
    }

    [Fact]
    public void Fit_RareCategories_AreUnknown()
    {
        var encoder = TableEncoder.Fit(Small, Options with { MinCategoryCount = 2 });
        Assert.Equal([2], encoder.CategorySizes);
        Assert.Equal([1, 0, 1, 0, 0], encoder.Encode(Small).Categories);
    }

    [Fact]
    public void Encode_NewRows_UseTheTrainingRowsOnly()
    {
        var encoder = TableEncoder.Fit(Small, Options);
        var row = new Table([new CategoryColumn("colour", ["violet"]), new NumberColumn("age", [double.NaN]), new NumberColumn("size", [double.NaN])]);
        var encoded = encoder.Encode(row, withTarget: false);
        Assert.Equal([0], encoded.Categories);
        Assert.Equal(0, encoded.Numbers[0], 1e-6); // median 3 = mean 3
        Assert.Equal(1, encoded.Numbers[1]);
        Assert.Equal((30 - 40) / Math.Sqrt(1000), encoded.Numbers[2], 1e-6);
        Assert.Null(encoded.Classes);
    }

    [Fact]
    public void Encode_LabelNeverSeen_NamesRowAndClasses()
    {
        var encoder = TableEncoder.Fit(Small, Options);
        var other = Small.With(new CategoryColumn("kind", ["yes", "no", "yess", "no", "yes"]));
        var error = Assert.Throws<DataException>(() => encoder.Encode(other));
        Assert.Equal("small, row 3: label 'yess' of column 'kind' was never seen in training. Did you mean 'yes'? Valid: no, yes.", error.Message);
    }

    [Fact]
    public void Encode_RenamedColumn_ListsExpectedGotAndNearest()
    {
        var encoder = TableEncoder.Fit(Small, Options);
        var renamed = new Table([.. Small.Columns.Select(column => column.Name == "colour" ? column.Rename("color") : column)], "new.csv");
        var error = Assert.Throws<DataException>(() => encoder.Encode(renamed));
        Assert.Equal("new.csv: the columns are not those of training. Expected 'size', 'age', 'colour', 'kind'; got 'size', 'age', 'color', 'kind'. "
            + "Missing: 'colour'. Not expected: 'color'; take them out. 'color' may be meant to be 'colour'.", error.Message);
    }

    [Fact]
    public void Encode_TextWhereNumbersWere_NamesPlaceAndValue()
    {
        var encoder = TableEncoder.Fit(Small, Options);
        var error = Assert.Throws<DataException>(() => encoder.Encode(Small.With(new CategoryColumn("age", ["1", "2", "x", "4", "5"]))));
        Assert.Contains("small, row 3: column 'age' holds numbers, got 'x'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_IgnoredColumn_MayBeThereOrNot()
    {
        var encoder = TableEncoder.Fit(Small, Options with { Ignore = ["age"] });
        Assert.Equal(encoder.Encode(Small).Numbers, encoder.Encode(Small.Without("age")).Numbers);
    }

    [Theory]
    [InlineData("standard")]
    [InlineData("log")]
    [InlineData("none")]
    public void DecodeTarget_OfEncoded_GivesTheValueBack(string scaling) => Gen.Double[0, 1e6].Array[2, 20].Sample(values =>
    {
        var table = new Table([new NumberColumn("x", values), new NumberColumn("y", values)]);
        var encoder = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, TargetScaling = scaling });
        var encoded = encoder.Encode(table).Values!;
        var spread = values.Max() + 1;
        return values.Zip(encoded).All(pair => Math.Abs(encoder.DecodeTarget(pair.Second) - pair.First) <= 1e-4 * spread);
    }, iter: 100);

    [Fact]
    public void Encode_StandardTarget_HasMeanZeroAndDeviationOne()
    {
        double[] values = [2, 4, 4, 4, 5, 5, 7, 9]; // mean 5, deviation 2
        var table = new Table([new NumberColumn("x", values), new NumberColumn("y", values)]);
        var encoder = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false });
        Assert.Equal([-1.5f, -0.5f, -0.5f, -0.5f, 0f, 0f, 1f, 2f], encoder.Encode(table).Values!);
        Assert.Equal(2, encoder.TargetScale);
    }

    [Fact]
    public void Fit_NumberClasses_AreSortedByValue()
    {
        var table = new Table([new NumberColumn("x", [1, 2, 3]), new NumberColumn("y", [10, 9, 100])]);
        Assert.Equal(["9", "10", "100"], TableEncoder.Fit(table, new() { Target = "y", IsClassification = true }).Classes);
    }

    [Fact]
    public void Fit_UnusableTargets_SayWhy()
    {
        static string Error(TableColumn target, bool isClassification, string scaling = "standard") => Assert.Throws<DataException>(() => TableEncoder.Fit(
            new Table([new NumberColumn("x", [1, 2]), target]), new() { Target = "y", IsClassification = isClassification, TargetScaling = scaling })).Message;

        Assert.Contains("table, row 2: the target 'y' is missing here and in 1 of 2 rows", Error(new CategoryColumn("y", ["a", null]), true), StringComparison.Ordinal);
        Assert.Contains("holds one class only, 'a'", Error(new CategoryColumn("y", ["a", "a"]), true), StringComparison.Ordinal);
        Assert.Contains("column 'y' holds numbers, got 'a'", Error(new CategoryColumn("y", ["a", "b"]), false), StringComparison.Ordinal);
        Assert.Contains("needs values above -1", Error(new NumberColumn("y", [-2, 1]), false, "log"), StringComparison.Ordinal);
        Assert.Contains("is infinite", Error(new NumberColumn("y", [double.PositiveInfinity, 1]), false), StringComparison.Ordinal);
        Assert.Contains("Did you mean 'size'?", Assert.Throws<DataException>(() => TableEncoder.Fit(Small, Options with { Target = "sise" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WrongOptions_ListsAll()
    {
        var error = Assert.Throws<OptionsException>(() => TableEncoder.Fit(Small, Options with { Scaler = "standart", MinCategoryCount = 0, Ignore = ["kind"] }));
        Assert.Equal(3, error.Problems.Count);
        Assert.Contains("Did you mean 'standard'?", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("standard")]
    [InlineData("min-max")]
    [InlineData("robust")]
    [InlineData("quantile")]
    public void FromJson_OfToJson_EncodesToTheSameBits(string scaler)
    {
        var number = Gen.OneOf(Gen.Double[-1e9, 1e9], Gen.Double[-1, 1], Gen.Const(double.NaN));
        Gen.Select(number.Array[8], number.Array[8], Gen.Double[0, 1e5].Array[8], Gen.Int[0, 3].Select(i => new[] { "a", "b \"quoted\"", "\u00E4\u4E2D", null }[i]).Array[8]).Sample((x, z, y, c) =>
        {
            var table = new Table([new NumberColumn("x", x), new NumberColumn("z", z), new CategoryColumn("c", c), new NumberColumn("y", y)]);
            var encoder = TableEncoder.Fit(table, new() { Target = "y", IsClassification = false, Scaler = scaler, LogColumns = ["z"], TargetScaling = "log" });
            var again = TableEncoder.FromJson(encoder.ToJson());
            var (one, two) = (encoder.Encode(table), again.Encode(table));
            return Bits(one.Numbers).SequenceEqual(Bits(two.Numbers)) && Bits(one.Values!).SequenceEqual(Bits(two.Values!))
                && one.Categories.SequenceEqual(two.Categories) && encoder.FeatureNames.SequenceEqual(again.FeatureNames)
                && encoder.DecodeTarget(0.3) == again.DecodeTarget(0.3) && again.ToJson() == encoder.ToJson();
        }, iter: 50);

        static IEnumerable<int> Bits(float[] values) => values.Select(BitConverter.SingleToInt32Bits);
    }

    [Fact]
    public void FromJson_Classification_KeepsClassesAndKinds()
    {
        var again = TableEncoder.FromJson(TableEncoder.Fit(Small, Options).ToJson());
        Assert.True(again.IsClassification);
        Assert.Equal(["no", "yes"], again.Classes);
        Assert.Equal(ColumnKind.Category, again.Kinds["colour"]);
        Assert.Equal([1, 0, 1, 0, 1], again.Encode(Small).Classes!);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"format\": 99, \"numbers\": [], \"categories\": [], \"target\": {\"column\": \"y\"}, \"ignored\": []}")]
    [InlineData("{\"format\": 1, \"numbers\": [{\"column\": \"x\", \"scaler\": \"standard\", \"scale\": 0}], \"categories\": [], \"target\": {\"column\": \"y\"}, \"ignored\": []}")]
    public void FromJson_Damaged_ThrowsCheckpointException(string json)
        => Assert.Throws<CheckpointException>(() => TableEncoder.FromJson(json));

    [Fact]
    public void ToFields_Tensors_HaveTheShapesOfBatch()
    {
        using var scope = torch.NewDisposeScope();
        var fields = TableEncoder.Fit(Small, Options).Encode(Small).ToFields();
        Assert.Equal([5, 3], fields[Batch.Inputs].shape);
        Assert.Equal(torch.ScalarType.Float32, fields[Batch.Inputs].dtype);
        Assert.Equal([5, 1], fields[Batch.Categories].shape);
        Assert.Equal([5], fields[Batch.Targets].shape);
        Assert.Equal(torch.ScalarType.Int64, fields[Batch.Targets].dtype);
    }

    [Fact]
    public void Table_SelectWithAppend_KeepValuesAndPlaces()
    {
        var two = Small.Select(4, 0);
        Assert.Equal([5, 1], ((NumberColumn)two["size"]).Values);
        Assert.Equal("small, row 5", two.Place(0));
        Assert.Equal(7, Small.Append(two).Rows);
        Assert.Contains("expected the columns of small", Assert.Throws<DataException>(() => Small.Append(two.Without("age"))).Message, StringComparison.Ordinal);
        Assert.Contains("stands twice", Assert.Throws<DataException>(() => new Table([Small["age"], Small["age"]])).Message, StringComparison.Ordinal);
        Assert.Contains("expected the same number", Assert.Throws<DataException>(() => new Table([Small["age"], new NumberColumn("b", [1])])).Message, StringComparison.Ordinal);
    }
}
