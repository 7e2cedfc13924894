namespace Nabla.Data;

/// <summary>Turns text into token ids and back. Immutable, thread-safe.</summary>
public interface ITextVocabulary
{
    /// <summary>Number of token ids, special ones included: ids are 0 to <c>Size - 1</c>.</summary>
    int Size { get; }

    /// <summary>Token ids of a text.</summary>
    /// <param name="text">The text.</param>
    int[] Encode(string text);

    /// <summary>The text of token ids.</summary>
    /// <param name="ids">Ids in [0, <see cref="Size"/>).</param>
    string Decode(ReadOnlySpan<int> ids);

    /// <summary>The vocabulary as JSON, read again by <see cref="TextVocabulary.FromJson"/>; stored with a run.</summary>
    string ToJson();
}
