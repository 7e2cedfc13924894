using System.Globalization;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Divides the rows of a data set into train, validation and test. The same seed gives the same split on every machine. A share of n
/// rows is rounded to the nearest whole number; a share above 0 that yields no row is an error.
/// </summary>
public static class Splitter
{
    /// <summary>Chooses rows at random.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="validation">Share of validation rows, in [0, 1).</param>
    /// <param name="test">Share of test rows, in [0, 1).</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="DataException">A part would be empty.</exception>
    public static DataSplit Random(long count, double validation, double test, long seed)
    {
        CheckShares(count, validation, test);
        var order = RandomStream.At(seed, RandomPurpose.Split).Permutation(count);
        return Cut(order, Share(count, validation), Share(count, test), count, validation, test);
    }

    /// <summary>Chooses rows at random so that every part has the classes in the same proportions, to within one row a class.</summary>
    /// <typeparam name="T">Type of the labels.</typeparam>
    /// <param name="labels">Class of each row.</param>
    /// <param name="validation">Share of validation rows, in [0, 1).</param>
    /// <param name="test">Share of test rows, in [0, 1).</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="DataException">A class has fewer rows than there are parts, or a part would be empty.</exception>
    public static DataSplit Stratified<T>(IReadOnlyList<T> labels, double validation, double test, long seed) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(labels);
        CheckShares(labels.Count, validation, test);
        var parts = 1 + (validation > 0 ? 1 : 0) + (test > 0 ? 1 : 0);
        var classes = RowsByKey(labels);
        RequireRows(classes, parts, $"every one of {parts} parts");
        var (validationRows, testRows) = (Apportion(classes, validation), Apportion(classes, test));
        List<long> train = [], held = [], tested = [];
        foreach (var (number, (_, rows)) in classes.Index())
        {
            var order = rows.ToArray();
            RandomStream.At(seed, RandomPurpose.Split, number).Shuffle(order.AsSpan());
            var (held1, tested1) = Fit(validationRows[number], testRows[number], order.Length, validation > 0, test > 0);
            held.AddRange(order[..held1]);
            tested.AddRange(order[held1..(held1 + tested1)]);
            train.AddRange(order[(held1 + tested1)..]);
        }
        return Sorted(train, held, tested);
    }

    /// <summary>Chooses whole groups at random (all visits of a patient, all sentences of a page), so that no group stands in two parts.</summary>
    /// <typeparam name="T">Type of the groups' keys.</typeparam>
    /// <param name="groups">Group of each row.</param>
    /// <param name="validation">Share of validation rows aimed at, in [0, 1).</param>
    /// <param name="test">Share of test rows aimed at, in [0, 1).</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="DataException">There are fewer groups than parts.</exception>
    public static DataSplit ByGroup<T>(IReadOnlyList<T> groups, double validation, double test, long seed) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(groups);
        CheckShares(groups.Count, validation, test);
        var parts = 1 + (validation > 0 ? 1 : 0) + (test > 0 ? 1 : 0);
        var byGroup = RowsByKey(groups);
        if (byGroup.Count < parts)
        {
            throw new DataException($"Splitting by group: expected at least {parts} groups for {parts} parts, got {byGroup.Count}. Check the group column.");
        }
        RandomStream.At(seed, RandomPurpose.Split).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(byGroup));
        var next = 0;
        var held = Take(byGroup, ref next, validation * groups.Count, byGroup.Count - (test > 0 ? 2 : 1));
        var tested = Take(byGroup, ref next, test * groups.Count, byGroup.Count - 1);
        return Sorted(byGroup[next..].SelectMany(group => group.Rows), held, tested);
    }

    /// <summary>Holds out the latest rows: the oldest are for training, later ones for validation, the last for test. Rows of one time stay together.</summary>
    /// <typeparam name="T">Type of the times; anything with an order.</typeparam>
    /// <param name="times">Time of each row.</param>
    /// <param name="validation">Share of validation rows aimed at, in [0, 1).</param>
    /// <param name="test">Share of test rows aimed at, in [0, 1).</param>
    /// <exception cref="DataException">There are fewer different times than parts.</exception>
    public static DataSplit ByTime<T>(IReadOnlyList<T> times, double validation, double test) where T : notnull, IComparable<T>
    {
        ArgumentNullException.ThrowIfNull(times);
        CheckShares(times.Count, validation, test);
        var parts = 1 + (validation > 0 ? 1 : 0) + (test > 0 ? 1 : 0);
        var byTime = RowsByKey(times);
        byTime.Sort((a, b) => b.Key.CompareTo(a.Key)); // latest first
        if (byTime.Count < parts)
        {
            throw new DataException($"Splitting by time: expected at least {parts} different times for {parts} parts, got {byTime.Count}. Check the time column.");
        }
        var next = 0;
        var tested = Take(byTime, ref next, test * times.Count, byTime.Count - (validation > 0 ? 2 : 1));
        var held = Take(byTime, ref next, validation * times.Count, byTime.Count - 1);
        return Sorted(byTime[next..].SelectMany(time => time.Rows), held, tested);
    }

    /// <summary>Rows of each key, keys in the order of their first row.</summary>
    internal static List<(T Key, List<long> Rows)> RowsByKey<T>(IReadOnlyList<T> keys) where T : notnull
    {
        var groups = new List<(T Key, List<long> Rows)>();
        var places = new Dictionary<T, int>();
        for (var row = 0; row < keys.Count; row++)
        {
            if (!places.TryGetValue(keys[row], out var place))
            {
                places[keys[row]] = place = groups.Count;
                groups.Add((keys[row], []));
            }
            groups[place].Rows.Add(row);
        }
        return groups;
    }

    internal static void RequireRows<T>(List<(T Key, List<long> Rows)> classes, int least, string purpose)
    {
        if (classes.FirstOrDefault(one => one.Rows.Count < least) is { Rows: not null } rare)
        {
            throw new DataException($"Stratified split: class '{rare.Key}' has {rare.Rows.Count} {(rare.Rows.Count == 1 ? "example" : "examples")} (row {rare.Rows[0] + 1}), but {purpose} must get one. "
                + "Collect more of it, merge or leave out the class, or use a random split.");
        }
    }

    /// <summary>Takes whole groups until their rows come nearest to the wanted number; at least one group when any row is wanted, and none after <paramref name="last"/>.</summary>
    private static List<long> Take<T>(List<(T Key, List<long> Rows)> groups, ref int next, double wanted, int last)
    {
        var taken = new List<long>();
        while (wanted > 0 && next < last && (taken.Count == 0 || Math.Abs(taken.Count + groups[next].Rows.Count - wanted) <= Math.Abs(taken.Count - wanted)))
        {
            taken.AddRange(groups[next++].Rows);
        }
        return taken;
    }

    /// <summary>Rows of each class, so that they add up to the share of all rows: whole parts first, then one more for the largest remainders.</summary>
    private static int[] Apportion<T>(List<(T Key, List<long> Rows)> classes, double share)
    {
        var counts = classes.Select(one => (int)(one.Rows.Count * share)).ToArray();
        var left = Share(classes.Sum(one => (long)one.Rows.Count), share) - counts.Sum();
        foreach (var number in Enumerable.Range(0, counts.Length).OrderByDescending(number => (classes[number].Rows.Count * share) - counts[number]).Take((int)left))
        {
            counts[number]++;
        }
        return counts;
    }

    /// <summary>Gives every part that is wanted at least one of a class's rows, the training part included.</summary>
    private static (int Validation, int Test) Fit(int validation, int test, int rows, bool wantsValidation, bool wantsTest)
    {
        (validation, test) = (wantsValidation ? Math.Max(validation, 1) : 0, wantsTest ? Math.Max(test, 1) : 0);
        while (validation + test >= rows)
        {
            (validation, test) = validation >= test ? (validation - 1, test) : (validation, test - 1);
        }
        return (validation, test);
    }

    private static DataSplit Cut(long[] order, long held, long tested, long count, double validation, double test)
    {
        if ((held == 0 && validation > 0) || (tested == 0 && test > 0) || held + tested >= count)
        {
            throw TooFew(count, validation, test);
        }
        return Sorted(order[(int)(held + tested)..], order[..(int)held], order[(int)held..(int)(held + tested)]);
    }

    private static long Share(long count, double share) => (long)Math.Round(count * share, MidpointRounding.AwayFromZero);

    private static void CheckShares(long count, double validation, double test)
    {
        if (!(validation is >= 0 and < 1) || !(test is >= 0 and < 1) || validation + test >= 1)
        {
            throw new ArgumentException($"The shares of validation ({validation.ToString(CultureInfo.InvariantCulture)}) and test ({test.ToString(CultureInfo.InvariantCulture)}) must be in [0, 1) and together below 1.");
        }
        if (count == 0 || (validation > 0 && Share(count, validation) == 0) || (test > 0 && Share(count, test) == 0) || Share(count, validation) + Share(count, test) >= count)
        {
            throw TooFew(count, validation, test);
        }
    }

    private static DataException TooFew(long count, double validation, double test) => new(string.Create(CultureInfo.InvariantCulture,
        $"Splitting {count} rows: shares of {validation} for validation and {test} for test give {Share(count, validation)} and {Share(count, test)} rows and leave {count - Share(count, validation) - Share(count, test)} to train on; every part needs at least one. Use other shares or more rows."));

    private static DataSplit Sorted(IEnumerable<long> train, IEnumerable<long> validation, IEnumerable<long> test)
        => new([.. train.Order()], [.. validation.Order()], [.. test.Order()]);
}
