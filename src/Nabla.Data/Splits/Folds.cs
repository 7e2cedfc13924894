using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Lists of folds for cross validation: each row is measured on in exactly one fold. The same seed gives the same folds on every machine.</summary>
public static class Folds
{
    /// <summary>Folds of nearly equal size (they differ by one row at most), chosen at random.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="folds">Number of folds, at least 2.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="DataException">There are fewer rows than folds.</exception>
    public static IReadOnlyList<Fold> Random(long count, int folds, long seed)
    {
        CheckCounts(count, folds, "rows");
        var order = RandomStream.At(seed, RandomPurpose.Split).Permutation(count);
        var fold = new int[count];
        for (var place = 0; place < order.Length; place++)
        {
            fold[order[place]] = place % folds;
        }
        return ToFolds(fold, folds);
    }

    /// <summary>Folds with the classes in the same proportions: the counts of a class differ by one row at most.</summary>
    /// <typeparam name="T">Type of the labels.</typeparam>
    /// <param name="labels">Class of each row.</param>
    /// <param name="folds">Number of folds, at least 2.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="DataException">A class has fewer rows than there are folds.</exception>
    public static IReadOnlyList<Fold> Stratified<T>(IReadOnlyList<T> labels, int folds, long seed) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(labels);
        CheckCounts(labels.Count, folds, "rows");
        var classes = Splitter.RowsByKey(labels);
        Splitter.RequireRows(classes, folds, $"every one of {folds} folds");
        var fold = new int[labels.Count];
        var next = 0; // classes go on where the one before ended, so that the sizes of folds stay equal too
        foreach (var (number, (_, rows)) in classes.Index())
        {
            RandomStream.At(seed, RandomPurpose.Split, number).Shuffle(CollectionsMarshal.AsSpan(rows));
            foreach (var row in rows)
            {
                fold[row] = next++ % folds;
            }
        }
        return ToFolds(fold, folds);
    }

    /// <summary>Folds of whole groups. The largest groups are placed first, each into the fold with the fewest rows, so sizes are close.</summary>
    /// <typeparam name="T">Type of the groups' keys.</typeparam>
    /// <param name="groups">Group of each row.</param>
    /// <param name="folds">Number of folds, at least 2.</param>
    /// <param name="seed">Seed of the choice among groups of equal size.</param>
    /// <exception cref="DataException">There are fewer groups than folds.</exception>
    public static IReadOnlyList<Fold> ByGroup<T>(IReadOnlyList<T> groups, int folds, long seed) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(groups);
        var byGroup = Splitter.RowsByKey(groups);
        CheckCounts(byGroup.Count, folds, "groups");
        RandomStream.At(seed, RandomPurpose.Split).Shuffle(CollectionsMarshal.AsSpan(byGroup));
        var (fold, sizes) = (new int[groups.Count], new long[folds]);
        foreach (var (_, rows) in byGroup.OrderByDescending(group => group.Rows.Count)) // a stable sort: equal groups keep their random order
        {
            var smallest = Array.IndexOf(sizes, sizes.Min());
            sizes[smallest] += rows.Count;
            foreach (var row in rows)
            {
                fold[row] = smallest;
            }
        }
        return ToFolds(fold, folds);
    }

    private static Fold[] ToFolds(int[] fold, int folds)
    {
        var result = new Fold[folds];
        for (var number = 0; number < folds; number++)
        {
            List<long> train = [], validation = [];
            for (var row = 0; row < fold.Length; row++)
            {
                (fold[row] == number ? validation : train).Add(row);
            }
            result[number] = new([.. train], [.. validation]);
        }
        return result;
    }

    private static void CheckCounts(long count, int folds, string things)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        if (count < folds)
        {
            throw new DataException($"Cross validation: expected at least {folds} {things} for {folds} folds, got {count}. Use fewer folds.");
        }
    }
}
