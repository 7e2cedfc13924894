namespace Nabla;

/// <summary>Applies <c>--set training.epochs=3</c> to the tree of a recipe, before it is bound to types.</summary>
internal static class RecipeOverrides
{
    /// <summary>A copy of <paramref name="root"/> with every override put in, later ones over earlier ones.</summary>
    /// <param name="root">The recipe's root.</param>
    /// <param name="overrides">Texts of the form <c>path=value</c>; the value is YAML.</param>
    /// <param name="findings">Takes the problems.</param>
    public static MappingNode Apply(MappingNode root, IReadOnlyList<string> overrides, List<RecipeFinding> findings)
    {
        foreach (var text in overrides)
        {
            var location = new RecipeLocation($"--set {text}", 0, 0);
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var path = equals < 0 ? text : text[..equals].Trim();
            var segments = path.Split('.');
            if (equals < 0 || segments.Any(string.IsNullOrWhiteSpace))
            {
                Report(findings, location, "", "Write --set key=value, such as --set training.epochs=3.", "key=value", $"'{text}'");
                continue;
            }
            var before = findings.Count;
            var value = RecipeParser.Parse(text[(equals + 1)..], location.File, findings, location);
            if (findings.Count == before)
            {
                root = (MappingNode)Put(root, segments, 0, value ?? new ScalarNode(location, "", isPlain: true), location, findings);
            }
        }
        return root;
    }

    private static RecipeNode Put(RecipeNode? node, string[] segments, int depth, RecipeNode value, RecipeLocation location, List<RecipeFinding> findings)
    {
        if (depth == segments.Length)
        {
            return value;
        }
        var segment = segments[depth];
        switch (node)
        {
            case SequenceNode sequence:
                if (!int.TryParse(segment, out var index) || index < 0 || index >= sequence.Items.Count)
                {
                    var path = string.Join('.', segments.Take(depth));
                    var valid = sequence.Items.Count == 0 ? "it is empty" : $"its items are 0 to {sequence.Items.Count - 1}";
                    Report(findings, location, string.Join('.', segments), $"'{path}' is a list, and {valid}; '{segment}' is not one of them.", "the number of an item", $"'{segment}'");
                    return node;
                }
                var items = sequence.Items.ToArray();
                items[index] = Put(items[index], segments, depth + 1, value, location, findings);
                return new SequenceNode(sequence.Location, items);
            case MappingNode mapping:
                return PutInto(mapping.Location, mapping.Entries, segments, depth, value, location, findings);
            case ScalarNode { IsNull: false } name:
                // "optimizer: adamw" is short for "optimizer: {name: adamw}", and "model: resnet" for "model: {family: resnet}".
                var key = depth == 1 && segments[0] == "model" ? "family" : "name";
                return PutInto(name.Location, [new(key, name.Location, name)], segments, depth, value, location, findings);
            default:
                return PutInto(location, [], segments, depth, value, location, findings);
        }
    }

    private static MappingNode PutInto(RecipeLocation place, IReadOnlyList<MappingEntry> entries, string[] segments, int depth, RecipeNode value, RecipeLocation location, List<RecipeFinding> findings)
    {
        var changed = entries.ToList();
        var at = changed.FindIndex(entry => entry.Key == segments[depth]);
        var inner = Put(at < 0 ? null : changed[at].Value, segments, depth + 1, value, location, findings);
        if (at < 0)
        {
            changed.Add(new(segments[depth], location, inner));
        }
        else
        {
            changed[at] = new(segments[depth], depth == segments.Length - 1 ? location : changed[at].KeyLocation, inner);
        }
        return new MappingNode(place, changed);
    }

    private static void Report(List<RecipeFinding> findings, RecipeLocation location, string key, string message, string expected, string got)
        => findings.Add(new() { File = location.File, Key = key, Message = message, Expected = expected, Got = got });
}
