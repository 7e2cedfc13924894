using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Texts as token ids, each with its class. A batch is as wide as its longest text: <see cref="Batch.Inputs"/> <c>[batch, time]</c>,
/// <see cref="Batch.Mask"/>, <see cref="Batch.Lengths"/> and, when there are classes, <see cref="Batch.Targets"/> <c>[batch]</c>.
/// Thread-safe.
/// </summary>
public sealed class TextSource : IBatchSource
{
    private readonly IReadOnlyList<int[]> _texts;
    private readonly int[] _empty;
    private readonly long[]? _classes;
    private readonly TextSourceOptions _options;

    /// <summary>Creates the source.</summary>
    /// <param name="texts">Token ids of each text; an empty one becomes a single <see cref="TextSourceOptions.EmptyId"/>.</param>
    /// <param name="classes">Class id of each text, or null when there is none (prediction).</param>
    /// <param name="options">How texts are cut and filled; null for the defaults.</param>
    /// <exception cref="DataException">There are not as many classes as texts.</exception>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    public TextSource(IReadOnlyList<int[]> texts, long[]? classes, TextSourceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        _options = options ?? new();
        _options.Validate();
        if (classes is not null && classes.Length != texts.Count)
        {
            throw new DataException($"TextSource: expected one class for each of the {texts.Count} texts, got {classes.Length}.");
        }
        (_texts, _classes, _empty) = (texts, classes, [_options.EmptyId]);
    }

    /// <inheritdoc/>
    public long Count => _texts.Count;

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(TextSource), indices, Count);
        using var scope = NewDisposeScope();
        var width = PaddedTokens.Width(indices, LengthOf);
        var inputs = new long[indices.Length * width];
        Array.Fill(inputs, _options.PaddingId);
        var (lengths, targets) = (new long[indices.Length], new long[indices.Length]);
        for (var row = 0; row < indices.Length; row++)
        {
            var whole = _texts[(int)indices[row]];
            var text = whole.Length == 0 ? _empty : whole.AsSpan(0, Math.Min(whole.Length, _options.MaxLength));
            for (var column = 0; column < text.Length; column++)
            {
                inputs[(row * width) + column] = text[column];
            }
            lengths[row] = text.Length;
            targets[row] = _classes?[indices[row]] ?? 0;
        }
        return new([
            KeyValuePair.Create(Batch.Inputs, torch.tensor(inputs, [indices.Length, width], int64)),
            .. PaddedTokens.MaskAndLengths(lengths, width),
            .. _classes is null ? [] : new[] { KeyValuePair.Create(Batch.Targets, torch.tensor(targets, [indices.Length], int64)) },
        ]);
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => Math.Clamp(_texts[(int)index].Length, 1, _options.MaxLength);

    /// <inheritdoc/>
    public long? ClassOf(long index) => _classes?[index];
}
