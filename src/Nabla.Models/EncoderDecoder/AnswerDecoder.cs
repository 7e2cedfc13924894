namespace Nabla.Models;

/// <summary>
/// Answers under way: takes one token for each row of a batch and gives the scores of the next. Keys and values of the source and of the tokens
/// so far are kept, so a step costs the same at every place. Owns what it keeps; not thread-safe.
/// </summary>
public sealed class AnswerDecoder : IDisposable
{
    private readonly EncoderDecoder _model;
    private readonly IReadOnlyList<KeyValueCache> _memory, _past;
    private long _place;

    internal AnswerDecoder(EncoderDecoder model, IReadOnlyList<KeyValueCache> memory)
        => (_model, _memory, _past) = (model, memory, [.. memory.Select(_ => new KeyValueCache())]);

    /// <summary>Appends a token to each answer.</summary>
    /// <param name="tokens">One token for each row: at first the start token.</param>
    /// <returns>Scores of the token after it, <c>[batch, vocab]</c>; the caller owns them.</returns>
    /// <exception cref="ShapeException">The number of tokens is not that of the sources, or answers are longer than the model's positions.</exception>
    public Tensor Append(ReadOnlySpan<long> tokens)
    {
        using var scope = NewDisposeScope();
        var ids = tensor(tokens.ToArray(), device: _model.Device); // [batch]
        var scores = _model.Next(ids, _place, _past, _memory);
        _place++;
        return scores.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var cache in _memory.Concat(_past))
        {
            cache.Dispose();
        }
    }
}
