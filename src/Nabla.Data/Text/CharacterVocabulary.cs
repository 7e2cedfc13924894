using System.Globalization;
using System.Text;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// One token a character (Unicode code point), ids in ascending order of the code points. With a boundary, id 0 is a token that
/// stands before and after each line and is written as a line break.
/// </summary>
public sealed class CharacterVocabulary : ITextVocabulary
{
    private readonly Rune[] _characters;
    private readonly Dictionary<Rune, int> _ids;
    private readonly int _first;

    internal CharacterVocabulary(IEnumerable<string> characters, bool boundary)
        : this([.. characters.Select(SingleRune)], boundary)
    {
    }

    private CharacterVocabulary(Rune[] characters, bool boundary)
    {
        _first = boundary ? 1 : 0;
        _characters = characters;
        _ids = characters.Select((character, place) => (character, place)).ToDictionary(pair => pair.character, pair => pair.place + _first);
    }

    /// <inheritdoc/>
    public int Size => _characters.Length + _first;

    /// <summary>Id of the token before and after each line, or null when there is none.</summary>
    public int? BoundaryId => _first == 1 ? 0 : null;

    /// <summary>Takes every character that occurs in the texts.</summary>
    /// <param name="texts">The texts, usually of the training split or the whole corpus.</param>
    /// <param name="boundary">Whether there is a token before and after each line. Default: false.</param>
    /// <exception cref="DataException">The texts hold no character.</exception>
    public static CharacterVocabulary Fit(IEnumerable<string> texts, bool boundary = false)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var characters = new SortedSet<Rune>();
        foreach (var text in texts)
        {
            foreach (var rune in text.EnumerateRunes())
            {
                characters.Add(rune);
            }
        }
        return characters.Count > 0
            ? new([.. characters], boundary)
            : throw new DataException("CharacterVocabulary.Fit: expected texts with at least one character, got none.");
    }

    /// <inheritdoc/>
    /// <exception cref="DataException">A character is not in the vocabulary; the message names it and its place.</exception>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            ids.Add(_ids.TryGetValue(rune, out var id) ? id : throw new DataException(string.Create(CultureInfo.InvariantCulture,
                $"CharacterVocabulary.Encode: character '{rune}' (U+{rune.Value:X4}) at place {ids.Count} is not among the {_characters.Length} characters seen in training. Leave it out or replace it.")));
        }
        return [.. ids];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder(ids.Length);
        foreach (var id in ids)
        {
            if (id < 0 || id >= Size)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"CharacterVocabulary.Decode: expected ids from 0 to {Size - 1}, got {id}.");
            }
            text.Append(id < _first ? "\n" : _characters[id - _first].ToString());
        }
        return text.ToString();
    }

    /// <inheritdoc/>
    public string ToJson() => TextVocabulary.ToJson(new()
    {
        Kind = TextVocabulary.CharacterKind,
        Boundary = _first == 1,
        Tokens = [.. _characters.Select(character => character.ToString())],
    });

    private static Rune SingleRune(string character)
        => Rune.TryGetRuneAt(character, 0, out var rune) && rune.Utf16SequenceLength == character.Length
            ? rune
            : throw new DataException($"Vocabulary: expected single characters, got '{character}'. The file is damaged.");
}
