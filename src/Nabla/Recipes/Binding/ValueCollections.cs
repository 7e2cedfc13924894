using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Nabla;

/// <summary>A list that equals another with the same items, so that records which hold it compare by value.</summary>
internal sealed class ValueList<T>(IEnumerable<T> items) : IReadOnlyList<T>
{
    private readonly T[] _items = [.. items];

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    public override bool Equals(object? obj) => obj is IEnumerable<T> other && other.SequenceEqual(_items);

    public override int GetHashCode() => _items.Aggregate(_items.Length, HashCode.Combine);
}

/// <summary>A dictionary that equals another with the same pairs, so that records which hold it compare by value. Keeps the order of its keys.</summary>
internal sealed class ValueDictionary<T>(IEnumerable<KeyValuePair<string, T>> pairs) : IReadOnlyDictionary<string, T>
{
    private readonly OrderedDictionary<string, T> _pairs = new(pairs, StringComparer.Ordinal);

    public int Count => _pairs.Count;

    public IEnumerable<string> Keys => _pairs.Keys;

    public IEnumerable<T> Values => _pairs.Values;

    public T this[string key] => _pairs[key];

    public bool ContainsKey(string key) => _pairs.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => _pairs.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, T>> GetEnumerator() => _pairs.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override bool Equals(object? obj) => obj is IReadOnlyDictionary<string, T> other && other.Count == Count
        && _pairs.All(pair => other.TryGetValue(pair.Key, out var value) && EqualityComparer<T>.Default.Equals(pair.Value, value));

    public override int GetHashCode() => _pairs.Keys.Order(StringComparer.Ordinal).Aggregate(Count, HashCode.Combine);
}
