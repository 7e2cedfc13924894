using Nabla.Core;

namespace Nabla.Data;

/// <summary>Draws examples with replacement so that every class is equally likely, whatever its share of the data.</summary>
internal sealed class ClassBalance
{
    private readonly long[][] _examples; // by class, ascending

    /// <summary>Reads the class of every example.</summary>
    /// <exception cref="DataException">An example has no class.</exception>
    public ClassBalance(IBatchSource source)
    {
        var classes = new SortedDictionary<long, List<long>>();
        for (var i = 0L; i < source.Count; i++)
        {
            var label = source.ClassOf(i) ?? throw new DataException(
                $"BalanceClasses: example {i} has no class. Balanced sampling needs a classification data set; turn it off for this one.");
            if (!classes.TryGetValue(label, out var members))
            {
                classes[label] = members = [];
            }
            members.Add(i);
        }
        _examples = [.. classes.Values.Select(members => members.ToArray())];
    }

    /// <summary>Draws <paramref name="count"/> examples.</summary>
    public long[] Draw(long count, RandomStream random)
    {
        var order = new long[count];
        for (var i = 0L; i < count; i++)
        {
            var members = _examples[random.NextLong(_examples.Length)];
            order[i] = members[random.NextLong(members.Length)];
        }
        return order;
    }
}
