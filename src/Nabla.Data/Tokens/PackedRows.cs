namespace Nabla.Data;

/// <summary>
/// Which short sequences share a row of fixed length: best fit, the longest first (Johnson, 1973; at most 11/9 of the fewest rows possible,
/// and one). A function of the lengths only.
/// </summary>
internal static class PackedRows
{
    /// <summary>Numbers of the sequences in each row, in the order of their numbers; rows in the order of their first one.</summary>
    /// <param name="lengths">Length of each sequence, 1 to <paramref name="size"/>.</param>
    /// <param name="size">Length of a row.</param>
    public static int[][] Plan(ReadOnlySpan<int> lengths, int size)
    {
        var byLength = new int[lengths.Length];
        var keys = new (int, int)[lengths.Length];
        for (var i = 0; i < lengths.Length; i++)
        {
            (byLength[i], keys[i]) = (i, (-lengths[i], i));
        }
        Array.Sort(keys, byLength);
        List<List<int>> rows = [];
        var withRoom = new Stack<int>[size + 1]; // rows by the room that is left
        foreach (var sequence in byLength)
        {
            var length = lengths[sequence];
            var room = length;
            while (room <= size && withRoom[room] is not { Count: > 0 })
            {
                room++;
            }
            var isNew = room > size;
            var row = isNew ? rows.Count : withRoom[room].Pop();
            if (isNew)
            {
                room = size;
                rows.Add([]);
            }
            rows[row].Add(sequence);
            (withRoom[room - length] ??= new()).Push(row);
        }
        rows.ForEach(row => row.Sort());
        return [.. rows.OrderBy(row => row[0]).Select(row => row.ToArray())];
    }
}
