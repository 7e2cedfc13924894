namespace Nabla.Data;

/// <summary>
/// Many short texts, such as names, each learned from its beginning to its end: a line of n tokens becomes the inputs
/// <c>boundary, 1, ..., n</c> and the targets <c>1, ..., n, boundary</c>. Batches are as wide as their longest line, with
/// <see cref="Batch.Inputs"/>, <see cref="Batch.Targets"/>, <see cref="Batch.Mask"/> <c>[batch, time]</c> and
/// <see cref="Batch.Lengths"/>; filling has the boundary as input and -100 as target. Thread-safe.
/// </summary>
public sealed class LineLanguageModelSource : IBatchSource
{
    private readonly IReadOnlyList<int[]> _lines;
    private readonly int _boundary, _maxLength;

    /// <summary>Creates the source.</summary>
    /// <param name="lines">Token ids of each line, without the boundary.</param>
    /// <param name="boundaryId">Id of the token before and after each line, such as <see cref="CharacterVocabulary.BoundaryId"/>.</param>
    /// <param name="maxLength">Most tokens of a line with one boundary, at least 2; longer lines are cut and then have no end. Default: 256.</param>
    public LineLanguageModelSource(IReadOnlyList<int[]> lines, int boundaryId, int maxLength = 256)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentOutOfRangeException.ThrowIfNegative(boundaryId);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        (_lines, _boundary, _maxLength) = (lines, boundaryId, maxLength);
    }

    /// <inheritdoc/>
    public long Count => _lines.Count;

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(LineLanguageModelSource), indices, Count);
        using var scope = NewDisposeScope();
        var width = PaddedTokens.Width(indices, LengthOf);
        var (inputs, targets, lengths) = (new long[indices.Length * width], new long[indices.Length * width], new long[indices.Length]);
        Array.Fill(inputs, _boundary);
        Array.Fill(targets, LanguageModelSource.NoTarget);
        for (var row = 0; row < indices.Length; row++)
        {
            var (line, length, start) = (_lines[(int)indices[row]], LengthOf(indices[row]), row * width);
            for (var column = 0; column < length; column++)
            {
                inputs[start + column] = column == 0 ? _boundary : line[column - 1];
                targets[start + column] = column == line.Length ? _boundary : line[column];
            }
            lengths[row] = length;
        }
        return new([
            KeyValuePair.Create(Batch.Inputs, torch.tensor(inputs, [indices.Length, width], int64)),
            KeyValuePair.Create(Batch.Targets, torch.tensor(targets, [indices.Length, width], int64)),
            .. PaddedTokens.MaskAndLengths(lengths, width),
        ]);
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => Math.Min(_lines[(int)index].Length + 1, _maxLength);
}
