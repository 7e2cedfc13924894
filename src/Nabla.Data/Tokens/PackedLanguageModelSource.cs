namespace Nabla.Data;

/// <summary>
/// Many short texts packed into rows of one length, several whole ones after each other, so that nothing is computed for padding. Each text
/// is learned as by <see cref="LineLanguageModelSource"/>: <see cref="Batch.Documents"/> says which tokens belong together (0: filling), and
/// <see cref="Batch.Positions"/> starts at 0 in each text. An example is a row. Thread-safe.
/// </summary>
public sealed class PackedLanguageModelSource : IBatchSource
{
    private readonly IReadOnlyList<int[]> _lines;
    private readonly int[][] _rows;
    private readonly int _boundary, _time;

    /// <summary>Creates the source.</summary>
    /// <param name="lines">Token ids of each line, without the boundary.</param>
    /// <param name="boundaryId">Id of the token before and after each line, such as <see cref="CharacterVocabulary.BoundaryId"/>.</param>
    /// <param name="time">Tokens in a row, at least 2; longer lines are cut to it and then have no end.</param>
    public PackedLanguageModelSource(IReadOnlyList<int[]> lines, int boundaryId, int time)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentOutOfRangeException.ThrowIfNegative(boundaryId);
        ArgumentOutOfRangeException.ThrowIfLessThan(time, 2);
        (_lines, _boundary, _time) = (lines, boundaryId, time);
        var lengths = new int[lines.Count];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = LengthOfLine(i);
        }
        _rows = PackedRows.Plan(lengths, time);
        Fill = _rows.Length == 0 ? 0 : lengths.Sum(length => (double)length) / ((double)_rows.Length * time);
    }

    /// <summary>Number of rows.</summary>
    public long Count => _rows.Length;

    /// <summary>Share of the rows' places that hold a token, in [0, 1].</summary>
    public double Fill { get; }

    /// <summary>Numbers of the lines in a row.</summary>
    /// <param name="row">Number of the row.</param>
    public IReadOnlyList<int> LinesOf(long row) => _rows[row];

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(PackedLanguageModelSource), indices, Count);
        using var scope = NewDisposeScope();
        var size = indices.Length * _time;
        var (inputs, targets, documents, positions) = (new long[size], new long[size], new long[size], new long[size]);
        Array.Fill(inputs, _boundary);
        Array.Fill(targets, LanguageModelSource.NoTarget);
        for (var row = 0; row < indices.Length; row++)
        {
            var (place, document) = (row * _time, 0L);
            foreach (var number in _rows[indices[row]])
            {
                var (line, length) = (_lines[number], LengthOfLine(number));
                document++;
                for (var position = 0; position < length; position++, place++)
                {
                    inputs[place] = position == 0 ? _boundary : line[position - 1];
                    targets[place] = position == line.Length ? _boundary : line[position];
                    (documents[place], positions[place]) = (document, position);
                }
            }
        }
        var shape = new long[] { indices.Length, _time };
        return new(new[] { (Batch.Inputs, inputs), (Batch.Targets, targets), (Batch.Documents, documents), (Batch.Positions, positions) }
            .Select(field => KeyValuePair.Create(field.Item1, torch.tensor(field.Item2, shape, int64))));
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => _time;

    private int LengthOfLine(int number) => Math.Min(_lines[number].Length + 1, _time);
}
