namespace Nabla.Data;

/// <summary>A long row of token ids, in memory or in a file. Reading is thread-safe.</summary>
public interface ITokenSequence
{
    /// <summary>Number of tokens.</summary>
    long Count { get; }

    /// <summary>Copies tokens.</summary>
    /// <param name="start">Place of the first one.</param>
    /// <param name="destination">Takes as many as it has room for; there must be that many.</param>
    void Read(long start, Span<long> destination);
}

/// <summary>Tokens in memory.</summary>
internal sealed class TokenArray(int[] tokens) : ITokenSequence
{
    public long Count => tokens.Length;

    public void Read(long start, Span<long> destination)
    {
        var source = tokens.AsSpan((int)start, destination.Length);
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = source[i];
        }
    }
}
