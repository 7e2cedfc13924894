using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class TextSourceTests
{
    private static long[] Numbers(Batch batch, string field) => batch[field].data<long>().ToArray();

    [Fact]
    public void Text_Read_PadsToTheLongestOfTheBatch()
    {
        var source = new TextSource([[5, 6], [], [7, 8, 9, 10, 11], [4]], [1, 0, 1, 2], new() { MaxLength = 4 });
        using var batch = source.Read([2, 1, 0]);
        Assert.Equal([3, 4], batch[Batch.Inputs].shape);
        Assert.Equal([7, 8, 9, 10, 1, 0, 0, 0, 5, 6, 0, 0], Numbers(batch, Batch.Inputs));
        Assert.Equal([4, 1, 2], Numbers(batch, Batch.Lengths));
        Assert.Equal([1, 0, 1], Numbers(batch, Batch.Targets));
        Assert.Equal([true, true, true, true, true, false, false, false, true, true, false, false], batch[Batch.Mask].data<bool>().ToArray());
        Assert.Equal((4, 1, 1), (source.LengthOf(2), source.LengthOf(1), source.LengthOf(3)));
        Assert.Equal(2, source.ClassOf(3));
        using var unlabelled = new TextSource([[1]], null).Read([0]);
        Assert.Null(unlabelled.Find(Batch.Targets));
        Assert.Throws<DataException>(() => new TextSource([[1]], [0, 1]));
    }

    [Fact]
    public void LanguageModel_Overlapping_StartsAtTheIndex()
    {
        var source = new LanguageModelSource([10, 11, 12, 13, 14, 15], new() { Time = 3 });
        Assert.Equal(3, source.Count);
        Assert.Equal(1, source.WindowsPerPass);
        using var batch = source.Read([2, 0]);
        Assert.Equal([12, 13, 14, 10, 11, 12], Numbers(batch, Batch.Inputs));
        Assert.Equal([13, 14, 15, 11, 12, 13], Numbers(batch, Batch.Targets));
    }

    [Fact]
    public void LanguageModel_SideBySide_PredictsEachTokenOnce()
        => Gen.Select(Gen.Int[2, 40], Gen.Int[1, 9]).Sample((length, time) =>
        {
            int[] tokens = [.. Enumerable.Range(100, length)];
            var source = new LanguageModelSource(tokens, new() { Time = time, Windows = TextWindows.SideBySide });
            var predicted = new List<long>();
            for (var i = 0L; i < source.Count; i++)
            {
                using var batch = source.Read([i]);
                foreach (var (input, target) in Numbers(batch, Batch.Inputs).Zip(Numbers(batch, Batch.Targets)))
                {
                    if (target != LanguageModelSource.NoTarget)
                    {
                        Assert.Equal(input + 1, target);
                        predicted.Add(target);
                    }
                }
            }
            Assert.Equal(tokens.Skip(1).Select(token => (long)token), predicted);
        });

    [Fact]
    public void LanguageModel_TooShort_SaysHowManyAreNeeded()
        => Assert.Contains("expected at least 4 tokens for windows of 3, got 3", Assert.Throws<DataException>(() => new LanguageModelSource([1, 2, 3], new() { Time = 3 })).Message);

    [Fact]
    public void Lines_Read_HaveABoundaryOnBothSides()
    {
        var source = new LineLanguageModelSource([[3, 4], [5], [], [6, 7, 8, 9]], boundaryId: 0, maxLength: 4);
        using var batch = source.Read([0, 1, 2]);
        Assert.Equal([0, 3, 4, 0, 5, 0, 0, 0, 0], Numbers(batch, Batch.Inputs));
        Assert.Equal([3, 4, 0, 5, 0, -100, 0, -100, -100], Numbers(batch, Batch.Targets));
        Assert.Equal([3, 2, 1], Numbers(batch, Batch.Lengths));
        Assert.Equal([true, true, true, true, true, false, true, false, false], batch[Batch.Mask].data<bool>().ToArray());
        using var cut = source.Read([3]);
        Assert.Equal([0, 6, 7, 8], Numbers(cut, Batch.Inputs));
        Assert.Equal([6, 7, 8, 9], Numbers(cut, Batch.Targets));
    }
}
