namespace Nabla.Data;

/// <summary>Token lists of unequal lengths, side by side in one rectangle.</summary>
internal static class PaddedTokens
{
    /// <summary>Number of columns: the longest row, at least 1.</summary>
    public static int Width(ReadOnlySpan<long> indices, Func<long, int> lengthOf)
    {
        var width = 1;
        foreach (var index in indices)
        {
            width = Math.Max(width, lengthOf(index));
        }
        return width;
    }

    /// <summary>Fields <see cref="Batch.Mask"/> <c>[batch, time]</c> and <see cref="Batch.Lengths"/> <c>[batch]</c>.</summary>
    public static IEnumerable<KeyValuePair<string, Tensor>> MaskAndLengths(long[] lengths, int width)
    {
        var mask = new bool[lengths.Length * width];
        for (var row = 0; row < lengths.Length; row++)
        {
            mask.AsSpan(row * width, (int)lengths[row]).Fill(true);
        }
        yield return KeyValuePair.Create(Batch.Mask, torch.tensor(mask, [lengths.Length, width]));
        yield return KeyValuePair.Create(Batch.Lengths, torch.tensor(lengths, [lengths.Length], int64));
    }
}
