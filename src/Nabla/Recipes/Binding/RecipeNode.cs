namespace Nabla;

/// <summary>A place in a recipe, for messages. Line and column count from 1; line 0 means the place is an override.</summary>
internal readonly record struct RecipeLocation(string File, int Line, int Column);

/// <summary>A value as it stands in a recipe, before anything is known of its type.</summary>
internal abstract class RecipeNode(RecipeLocation location)
{
    /// <summary>Where the value begins.</summary>
    public RecipeLocation Location { get; } = location;

    /// <summary>The value in a few words, for "got ..." in messages.</summary>
    public abstract string Describe();
}

/// <summary>A single value.</summary>
internal sealed class ScalarNode(RecipeLocation location, string value, bool isPlain) : RecipeNode(location)
{
    /// <summary>The characters, without quotes.</summary>
    public string Value { get; } = value;

    /// <summary>True when written without quotes, so that it may be a number, true, false or null.</summary>
    public bool IsPlain { get; } = isPlain;

    /// <summary>True for an empty value, <c>~</c> and <c>null</c>.</summary>
    public bool IsNull => IsPlain && ScalarReader.IsNull(Value);

    public override string Describe()
    {
        if (IsNull)
        {
            return "nothing";
        }
        if (!IsPlain)
        {
            return $"text '{Short}' (in quotes)";
        }
        return ScalarReader.TryReadBoolean(Value, out _) || ScalarReader.TryReadDouble(Value, out _) ? Short : $"text '{Short}'";
    }

    private string Short => Value.Length <= 60 ? Value : Value[..57] + "...";
}

/// <summary>A list of values.</summary>
internal sealed class SequenceNode(RecipeLocation location, IReadOnlyList<RecipeNode> items) : RecipeNode(location)
{
    /// <summary>The values in order.</summary>
    public IReadOnlyList<RecipeNode> Items { get; } = items;

    public override string Describe() => Items.Count == 0 ? "an empty list" : $"a list of {Items.Count}";
}

/// <summary>Keys and values. Keys are different from each other: the parser reports repeats and keeps the first.</summary>
internal sealed class MappingNode(RecipeLocation location, IReadOnlyList<MappingEntry> entries) : RecipeNode(location)
{
    /// <summary>The pairs in order.</summary>
    public IReadOnlyList<MappingEntry> Entries { get; } = entries;

    /// <summary>The value of a key, or null when the key is not there.</summary>
    public RecipeNode? Find(string key)
    {
        foreach (var entry in Entries)
        {
            if (entry.Key == key)
            {
                return entry.Value;
            }
        }
        return null;
    }

    public override string Describe() => Entries.Count == 0 ? "an empty group of keys" : $"a group with the keys {string.Join(", ", Entries.Take(4).Select(entry => entry.Key))}{(Entries.Count > 4 ? ", ..." : "")}";
}

/// <summary>A key, where it stands, and its value.</summary>
internal readonly record struct MappingEntry(string Key, RecipeLocation KeyLocation, RecipeNode Value);
