namespace Nabla.Core;

/// <summary>Finds the valid name a user most likely meant.</summary>
public static class NearestName
{
    /// <summary>The candidate with the smallest edit distance to <paramref name="name"/>, or null when none is near.</summary>
    /// <param name="name">What the user wrote.</param>
    /// <param name="candidates">The valid names.</param>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(candidates);
        var (best, bestDistance) = ((string?)null, int.MaxValue);
        foreach (var candidate in candidates)
        {
            var distance = Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }
        // A name of n letters may be wrong in about 2 of 5 before a suggestion confuses more than it helps.
        return best is not null && bestDistance <= Math.Max(2, Math.Max(name.Length, best.Length) * 2 / 5) ? best : null;
    }

    /// <summary>A sentence for an error message: the nearest name if there is one, and the valid names when they are few.</summary>
    /// <param name="name">What the user wrote.</param>
    /// <param name="candidates">The valid names.</param>
    public static string Suggest(string name, IReadOnlyCollection<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var nearest = Find(name, candidates);
        var list = candidates.Count <= 24 ? $"Valid: {string.Join(", ", candidates)}." : "";
        return (nearest is null ? list : $"Did you mean '{nearest}'? {list}").Trim();
    }

    /// <summary>Number of insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            d[i, 0] = i;
        }
        for (var j = 0; j <= b.Length; j++)
        {
            d[0, j] = j;
        }
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }
        return d[a.Length, b.Length];
    }
}
