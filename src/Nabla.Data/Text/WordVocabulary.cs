using System.Text.RegularExpressions;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// One token a word or punctuation mark. Splitting rule: a token is a run of letters, marks and digits, with single apostrophes
/// inside (<c>don't</c>), or else any one character that is not white space. Id 0 is padding, id 1 any unknown word; then words by
/// falling frequency, equal ones in ordinal order.
/// </summary>
public sealed partial class WordVocabulary : ITextVocabulary
{
    /// <summary>Id that fills up short texts.</summary>
    public const int PaddingId = 0;

    /// <summary>Id of every word that is not in the vocabulary.</summary>
    public const int UnknownId = 1;

    private const int FirstWord = 2;
    private readonly string[] _words;
    private readonly Dictionary<string, int> _ids;
    private readonly bool _lowerCase;

    internal WordVocabulary(string[] words, bool lowerCase)
    {
        (_words, _lowerCase) = (words, lowerCase);
        _ids = words.Select((word, place) => (word, place)).ToDictionary(pair => pair.word, pair => pair.place + FirstWord, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public int Size => _words.Length + FirstWord;

    /// <summary>Counts the words of the training texts and keeps the frequent ones.</summary>
    /// <param name="texts">Texts of the training split only: words of other splits must stay unknown.</param>
    /// <param name="options">Which words are kept; null for the defaults.</param>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    /// <exception cref="DataException">No word is frequent enough.</exception>
    public static WordVocabulary Fit(IEnumerable<string> texts, WordVocabularyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new();
        options.Validate();
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            foreach (var word in Split(text, options.LowerCase))
            {
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }
        string[] words = [.. counts.Where(pair => pair.Value >= options.MinFrequency)
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Take(options.MaxSize - FirstWord).Select(pair => pair.Key)];
        return words.Length > 0
            ? new(words, options.LowerCase)
            : throw new DataException($"WordVocabulary.Fit: expected a word that occurs at least {options.MinFrequency} times, got {counts.Count} words that all occur less often. Lower MinFrequency or give more text.");
    }

    /// <summary>Splits a text by the rule of this class.</summary>
    /// <param name="text">The text.</param>
    /// <param name="lowerCase">Whether words become lower case (invariant culture).</param>
    public static IEnumerable<string> Split(string text, bool lowerCase)
    {
        ArgumentNullException.ThrowIfNull(text);
        // Half of a surrogate pair is no text: it could not be stored and read again.
        return Token().Matches(lowerCase ? text.ToLowerInvariant() : text)
            .Select(match => match.Length == 1 && char.IsSurrogate(match.ValueSpan[0]) ? "\uFFFD" : match.Value);
    }

    /// <inheritdoc/>
    public int[] Encode(string text) => [.. Split(text, _lowerCase).Select(word => _ids.GetValueOrDefault(word, UnknownId))];

    /// <summary>The words joined by spaces; padding is left out and an unknown word is <c>[unknown]</c>.</summary>
    /// <param name="ids">Ids in [0, <see cref="Size"/>).</param>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var words = new List<string>(ids.Length);
        foreach (var id in ids)
        {
            if (id < 0 || id >= Size)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"WordVocabulary.Decode: expected ids from 0 to {Size - 1}, got {id}.");
            }
            if (id != PaddingId)
            {
                words.Add(id == UnknownId ? "[unknown]" : _words[id - FirstWord]);
            }
        }
        return string.Join(' ', words);
    }

    /// <inheritdoc/>
    public string ToJson() => TextVocabulary.ToJson(new() { Kind = TextVocabulary.WordKind, LowerCase = _lowerCase, Tokens = _words });

    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[\uD800-\uDBFF][\uDC00-\uDFFF]|\S", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
