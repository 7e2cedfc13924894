using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public class SplitterTests
{
    private static bool IsPartition(DataSplit split, long count)
        => split.Train.Concat(split.Validation).Concat(split.Test).Order().SequenceEqual(Enumerable.Range(0, (int)count).Select(row => (long)row));

    [Fact]
    public void Random_AnySizes_IsAPartitionOfTheAskedSizes() => Gen.Select(Gen.Int[20, 500], Gen.Double[0.05, 0.4], Gen.Double[0.05, 0.4], Gen.Long).Sample((count, validation, test, seed) =>
    {
        var split = Splitter.Random(count, validation, test, seed);
        return IsPartition(split, count)
            && split.Validation.Length == (long)Math.Round(count * validation, MidpointRounding.AwayFromZero)
            && split.Test.Length == (long)Math.Round(count * test, MidpointRounding.AwayFromZero)
            && split.Train.SequenceEqual(Splitter.Random(count, validation, test, seed).Train);
    });

    [Fact]
    public void Random_OtherSeed_ChoosesOtherRows()
        => Assert.NotEqual(Splitter.Random(1000, 0.2, 0, 1).Validation, Splitter.Random(1000, 0.2, 0, 2).Validation);

    [Fact]
    public void Stratified_AnyClasses_KeepsProportionsToOneRow() => Gen.Select(Gen.Int[0, 4].Array[60, 300], Gen.Double[0.1, 0.3], Gen.Double[0.1, 0.3], Gen.Long).Sample((labels, validation, test, seed) =>
    {
        if (labels.CountBy(label => label).Any(count => count.Value < 3))
        {
            return true; // refused; tested below
        }
        var split = Splitter.Stratified(labels, validation, test, seed);
        return IsPartition(split, labels.Length) && labels.CountBy(label => label).All(count =>
            Math.Abs(split.Validation.Count(row => labels[row] == count.Key) - (count.Value * validation)) <= 1
            && Math.Abs(split.Test.Count(row => labels[row] == count.Key) - (count.Value * test)) <= 1
            && split.Train.Any(row => labels[row] == count.Key));
    });

    [Fact]
    public void Stratified_ClassWithOneExample_Explains()
    {
        string[] labels = [.. Enumerable.Repeat("cat", 10), "lynx", .. Enumerable.Repeat("dog", 10)];
        var error = Assert.Throws<DataException>(() => Splitter.Stratified(labels, 0.2, 0, 1));
        Assert.Equal("Stratified split: class 'lynx' has 1 example (row 11), but every one of 2 parts must get one. "
            + "Collect more of it, merge or leave out the class, or use a random split.", error.Message);
    }

    [Fact]
    public void ByGroup_AnyGroups_NeverDividesOne() => Gen.Select(Gen.Int[0, 30].Array[80, 300], Gen.Double[0.1, 0.3], Gen.Double[0.1, 0.3], Gen.Long).Sample((groups, validation, test, seed) =>
    {
        var split = Splitter.ByGroup(groups, validation, test, seed);
        var largest = groups.CountBy(group => group).Max(group => group.Value);
        HashSet<int>[] parts = [[.. split.Train.Select(row => groups[row])], [.. split.Validation.Select(row => groups[row])], [.. split.Test.Select(row => groups[row])]];
        return IsPartition(split, groups.Length) && !parts[0].Overlaps(parts[1]) && !parts[0].Overlaps(parts[2]) && !parts[1].Overlaps(parts[2])
            && parts.All(part => part.Count > 0)
            && Math.Abs(split.Validation.Length - (validation * groups.Length)) <= largest;
    });

    [Fact]
    public void ByTime_AnyTimes_TrainsOnThePast() => Gen.Select(Gen.Int[0, 50].Array[80, 300], Gen.Double[0.1, 0.3], Gen.Double[0.1, 0.3]).Sample((times, validation, test) =>
    {
        var split = Splitter.ByTime(times, validation, test);
        return IsPartition(split, times.Length)
            && split.Train.Max(row => times[row]) < split.Validation.Min(row => times[row])
            && split.Validation.Max(row => times[row]) < split.Test.Min(row => times[row]);
    });

    [Theory]
    [InlineData(0, 0.1, 0)]
    [InlineData(4, 0.1, 0)]
    [InlineData(3, 0.9, 0)]
    [InlineData(2, 0.5, 0.4)]
    public void Random_PartWithoutRows_SaysTheNumbers(int count, double validation, double test)
    {
        var error = Assert.Throws<DataException>(() => Splitter.Random(count, validation, test, 1));
        Assert.StartsWith($"Splitting {count} rows", error.Message, StringComparison.Ordinal);
        Assert.Contains("every part needs at least one", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(-0.1, 0)]
    [InlineData(0.6, 0.4)]
    [InlineData(double.NaN, 0)]
    public void Random_SharesOutOfRange_AreMisuse(double validation, double test)
        => Assert.Throws<ArgumentException>(() => Splitter.Random(100, validation, test, 1));

    [Fact]
    public void ByGroup_OneGroup_SaysSo()
        => Assert.Contains("expected at least 2 groups for 2 parts, got 1", Assert.Throws<DataException>(() => Splitter.ByGroup(new int[10], 0.2, 0, 1)).Message, StringComparison.Ordinal);

    [Fact]
    public void ByTime_OneTime_SaysSo()
        => Assert.Contains("different times", Assert.Throws<DataException>(() => Splitter.ByTime(new int[10], 0.2, 0)).Message, StringComparison.Ordinal);

    [Fact]
    public void FoldsRandom_AnySizes_MeasureEachRowOnce() => Gen.Select(Gen.Int[2, 10], Gen.Int[0, 200], Gen.Long).Sample((folds, more, seed) =>
    {
        var list = Folds.Random(folds + more, folds, seed);
        return AreFolds(list, folds, folds + more) && list.Max(fold => fold.Validation.Length) - list.Min(fold => fold.Validation.Length) <= 1;
    });

    [Fact]
    public void FoldsStratified_AnyClasses_DifferByOneRowAtMost() => Gen.Select(Gen.Int[2, 5], Gen.Int[0, 3].Array[80, 200], Gen.Long).Sample((folds, labels, seed) =>
    {
        if (labels.CountBy(label => label).Any(count => count.Value < folds))
        {
            return true;
        }
        var list = Folds.Stratified(labels, folds, seed);
        return AreFolds(list, folds, labels.Length)
            && list.Max(fold => fold.Validation.Length) - list.Min(fold => fold.Validation.Length) <= 1
            && labels.Distinct().All(label =>
            {
                var counts = list.Select(fold => fold.Validation.Count(row => labels[row] == label)).ToArray();
                return counts.Max() - counts.Min() <= 1;
            });
    });

    [Fact]
    public void FoldsByGroup_AnyGroups_NeverDivideOne() => Gen.Select(Gen.Int[2, 5], Gen.Int[0, 40].Array[100, 200], Gen.Long).Sample((folds, groups, seed) =>
    {
        var list = Folds.ByGroup(groups, folds, seed);
        return AreFolds(list, folds, groups.Length)
            && list.All(fold => !fold.Train.Select(row => groups[row]).Intersect(fold.Validation.Select(row => groups[row])).Any());
    });

    [Fact]
    public void Folds_TooFewRowsOrExamples_SaySo()
    {
        Assert.Contains("at least 5 rows for 5 folds, got 4", Assert.Throws<DataException>(() => Folds.Random(4, 5, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("at least 3 groups for 3 folds, got 2", Assert.Throws<DataException>(() => Folds.ByGroup([1, 1, 2, 2], 3, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("class '2' has 1 example", Assert.Throws<DataException>(() => Folds.Stratified([1, 1, 2], 2, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Folds.Random(10, 1, 1));
    }

    private static bool AreFolds(IReadOnlyList<Fold> list, int folds, int count)
        => list.Count == folds
        && list.SelectMany(fold => fold.Validation).Order().SequenceEqual(Enumerable.Range(0, count).Select(row => (long)row))
        && list.All(fold => fold.Train.Concat(fold.Validation).Order().SequenceEqual(Enumerable.Range(0, count).Select(row => (long)row)));
}
