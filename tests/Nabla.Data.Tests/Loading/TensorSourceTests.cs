using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class TensorSourceTests
{
    private static KeyValuePair<string, Tensor> Field(string name, Tensor value) => KeyValuePair.Create(name, value);

    [Fact]
    public void Read_SelectsRowsOfEveryFieldInTheGivenOrder()
    {
        using var source = new TensorSource([Field(Batch.Inputs, arange(12, float32).reshape(4, 3)), Field(Batch.Targets, torch.tensor(new long[] { 5, 6, 7, 8 }))]);
        using var batch = source.Read([2, 0, 2]);
        Assert.Equal([6, 7, 8, 0, 1, 2, 6, 7, 8], batch[Batch.Inputs].data<float>().ToArray());
        Assert.Equal([7, 5, 7], batch[Batch.Targets].data<long>().ToArray());
        Assert.Equal(3, batch.Count);
        Assert.Equal(8, source.ClassOf(3));
        Assert.Equal(1, source.LengthOf(3));
    }

    [Fact]
    public void Read_WithPixelNormalization_FollowsTheFormula()
    {
        var random = RandomStream.At(5, RandomPurpose.Other);
        var pixels = Enumerable.Range(0, 3 * 2 * 4 * 5).Select(_ => (byte)random.NextInt(0, 256)).ToArray();
        using var source = new TensorSource([Field(Batch.Inputs, torch.tensor(pixels, [3, 2, 4, 5]))],
            new() { Mean = [0.4, 0.2], StandardDeviation = [0.3, 0.5] });
        using var batch = source.Read([1]);
        var actual = batch[Batch.Inputs].data<float>().ToArray();
        Assert.Equal(uint8, source[Batch.Inputs].dtype);
        for (var i = 0; i < 40; i++)
        {
            var (mean, deviation) = i < 20 ? (0.4, 0.3) : (0.2, 0.5);
            Assert.Equal(((pixels[40 + i] / 255.0) - mean) / deviation, actual[i], 1e-6);
        }
    }

    [Fact]
    public void Measure_EqualsTheDirectSum()
    {
        var random = RandomStream.At(6, RandomPurpose.Other);
        var pixels = Enumerable.Range(0, 5 * 2 * 3 * 3).Select(_ => (byte)random.NextInt(0, 256)).ToArray();
        using var pictures = torch.tensor(pixels, [5, 2, 3, 3]);
        var measured = PixelNormalization.Measure(pictures, [4, 1]);
        foreach (var channel in new[] { 0, 1 })
        {
            var values = new[] { 4, 1 }.SelectMany(i => pixels.Skip((i * 18) + (channel * 9)).Take(9)).Select(b => b / 255.0).ToArray();
            var mean = values.Average();
            Assert.Equal(mean, measured.Mean![channel], 1e-12);
            Assert.Equal(Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), measured.StandardDeviation![channel], 1e-10);
        }
    }

    [Fact]
    public void Constructor_UnusableFields_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("got none", Assert.Throws<DataException>(() => new TensorSource([])).Message);
        Assert.Contains("got 2 in 'inputs' and 3 in 'targets'", Assert.Throws<DataException>(
            () => new TensorSource([Field(Batch.Inputs, zeros(2, 1)), Field(Batch.Targets, zeros(3))])).Message);
        Assert.Contains("channels=3", Assert.Throws<ShapeException>(
            () => new TensorSource([Field(Batch.Inputs, zeros([2, 1, 4, 4], uint8))], new() { Mean = [0, 0, 0], StandardDeviation = [1, 1, 1] })).Message);
        Assert.Contains("expected field 'inputs' to hold uint8", Assert.Throws<DataException>(
            () => new TensorSource([Field(Batch.Inputs, zeros(2, 1, 4, 4))], new())).Message);
        using var source = new TensorSource([Field(Batch.Inputs, zeros(2, 1))]);
        Assert.Contains("from 0 to 1, got 2", Assert.Throws<ArgumentOutOfRangeException>(() => source.Read([2])).Message);
    }

    [Fact]
    public void LengthOf_ComesFromLengthsOrMask()
    {
        using var byLength = new TensorSource([Field(Batch.Inputs, zeros([2, 3], int64)), Field(Batch.Lengths, torch.tensor(new long[] { 1, 3 }))]);
        using var byMask = new TensorSource([Field(Batch.Inputs, zeros([2, 3], int64)), Field(Batch.Mask, torch.tensor(new[] { true, false, false, true, true, true }, [2, 3]))]);
        Assert.Equal((1, 3), (byLength.LengthOf(0), byLength.LengthOf(1)));
        Assert.Equal((1, 3), (byMask.LengthOf(0), byMask.LengthOf(1)));
    }

    [Fact]
    public void Subset_ReadsTheChosenExamples()
    {
        var subset = new SubsetSource(new CountingSource(100, i => (int)i, i => i % 2), [50, 7, 50]);
        using var batch = subset.Read([1, 2]);
        Assert.Equal([7, 50], batch[Batch.Inputs].data<long>().ToArray());
        Assert.Equal((3, 7, 1L), (subset.Count, subset.LengthOf(1), subset.ClassOf(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SubsetSource(new CountingSource(3), [3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => subset.Read([3]));
    }
}
