using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using Scalar = YamlDotNet.Core.Events.Scalar;

namespace Nabla;

/// <summary>
/// Reads YAML (and JSON, which is YAML) into a tree that remembers lines and columns. Repeated keys and text that is not YAML
/// become findings; nothing a user can write makes it throw.
/// </summary>
internal sealed class RecipeParser
{
    /// <summary>Deeper nesting than this is no recipe; it also keeps recursion within the stack.</summary>
    private const int MaximumDepth = 64;

    /// <summary>Values in one recipe, aliases counted each time they are used, so that aliases of aliases cannot explode.</summary>
    private const int MaximumNodes = 100_000;

    private readonly string _file;
    private readonly List<RecipeFinding> _findings;
    private readonly Dictionary<string, (RecipeNode Node, int Count)> _anchors = new(StringComparer.Ordinal);
    private readonly RecipeLocation? _fixedLocation;
    private Parser _parser = null!;
    private int _count;

    private RecipeParser(string file, List<RecipeFinding> findings, RecipeLocation? fixedLocation)
        => (_file, _findings, _fixedLocation) = (file, findings, fixedLocation);

    /// <summary>Reads a text.</summary>
    /// <param name="text">The YAML text.</param>
    /// <param name="file">The file's name for messages.</param>
    /// <param name="findings">Takes the problems.</param>
    /// <param name="fixedLocation">Place of all values, for a text that is not from a file.</param>
    /// <returns>The root value, or null when the text cannot be read or is empty.</returns>
    public static RecipeNode? Parse(string text, string file, List<RecipeFinding> findings, RecipeLocation? fixedLocation = null)
        => new RecipeParser(file, findings, fixedLocation).ParseDocument(text);

    private RecipeNode? ParseDocument(string text)
    {
        try
        {
            _parser = new Parser(new StringReader(text));
            _parser.Consume<StreamStart>();
            if (_parser.Accept<StreamEnd>(out _))
            {
                return null;
            }
            _parser.Consume<DocumentStart>();
            var root = ReadNode(0);
            _parser.Consume<DocumentEnd>();
            if (!_parser.Accept<StreamEnd>(out var next))
            {
                Report(At(_parser.Current!.Start), "A recipe is one document; a second one begins here. Remove the line with '---'.");
            }
            return root;
        }
        catch (RecipeTooLargeException problem)
        {
            Report(problem.Location, problem.Message);
            return null;
        }
        catch (YamlException problem)
        {
            var message = problem.InnerException is null ? problem.Message : $"{problem.Message} {problem.InnerException.Message}";
            Report(At(problem.Start), $"This is not valid YAML: {message.TrimEnd('.')}.");
            return null;
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            // The scanner meets some malformed escapes and marks with exceptions of the base library.
            Report(At(_parser.Current?.End ?? Mark.Empty), $"This is not valid YAML near here: {problem.Message.TrimEnd('.')}.");
            return null;
        }
    }

    private RecipeNode ReadNode(int depth)
    {
        var start = At(_parser.Current!.Start);
        if (depth > MaximumDepth)
        {
            throw new RecipeTooLargeException(start, $"Values are nested deeper than {MaximumDepth} levels here; a recipe never needs that.");
        }
        Count(1, start);
        var before = _count;
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            if (!_anchors.TryGetValue(alias.Value.Value, out var target))
            {
                throw new YamlException(alias.Start, alias.End, $"the alias *{alias.Value.Value} has no anchor &{alias.Value.Value} before it");
            }
            Count(target.Count, start);
            return target.Node;
        }
        if (_parser.Current is not NodeEvent { Anchor: var anchor })
        {
            throw new YamlException(_parser.Current.Start, _parser.Current.End, "a value or key is missing here");
        }
        RecipeNode node = _parser.Current switch
        {
            Scalar => ReadScalar(),
            SequenceStart => ReadSequence(start, depth),
            _ => ReadMapping(start, depth),
        };
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = (node, _count - before + 1);
        }
        return node;
    }

    private ScalarNode ReadScalar()
    {
        var scalar = _parser.Consume<Scalar>();
        var isText = !scalar.Tag.IsEmpty && !scalar.Tag.IsNonSpecific && scalar.Tag.Value == "tag:yaml.org,2002:str";
        return new ScalarNode(At(scalar.Start), scalar.Value, scalar.Style == ScalarStyle.Plain && !isText);
    }

    private SequenceNode ReadSequence(RecipeLocation start, int depth)
    {
        _parser.Consume<SequenceStart>();
        var items = new List<RecipeNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(depth + 1));
        }
        return new SequenceNode(start, items);
    }

    private MappingNode ReadMapping(RecipeLocation start, int depth)
    {
        _parser.Consume<MappingStart>();
        var entries = new List<MappingEntry>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var keyNode = ReadNode(depth + 1);
            var value = ReadNode(depth + 1);
            if (keyNode is not ScalarNode key)
            {
                Report(keyNode.Location, $"A key must be a single word; this one is {keyNode.Describe()}.");
            }
            else if (!lines.TryAdd(key.Value, key.Location.Line))
            {
                _findings.Add(new()
                {
                    File = key.Location.File,
                    Line = key.Location.Line,
                    Column = key.Location.Column,
                    Key = key.Value,
                    Expected = "each key once",
                    Got = $"'{key.Value}' again",
                    Message = $"The key '{key.Value}' is written twice{(lines[key.Value] > 0 ? $"; the first is on line {lines[key.Value]}" : "")}. Keep one of them.",
                });
            }
            else
            {
                entries.Add(new(key.Value, key.Location, value));
            }
        }
        // The one pair of "[key: value]" has no mark of its own; it begins with its key.
        return new MappingNode(start is { Line: 1, Column: 1 } && entries.Count > 0 ? entries[0].KeyLocation : start, entries);
    }

    private void Count(int nodes, RecipeLocation location)
    {
        _count += nodes;
        if (_count > MaximumNodes)
        {
            throw new RecipeTooLargeException(location, $"The recipe holds more than {MaximumNodes} values, aliases included; no recipe needs that many.");
        }
    }

    private RecipeLocation At(Mark mark)
        => _fixedLocation ?? new RecipeLocation(_file, (int)Math.Clamp(mark.Line, 1, int.MaxValue), (int)Math.Clamp(mark.Column, 1, int.MaxValue));

    private void Report(RecipeLocation location, string message)
        => _findings.Add(new() { File = location.File, Line = location.Line, Column = location.Column, Message = message });

    /// <summary>Leaves the recursion when a limit is passed; it never leaves this class.</summary>
    private sealed class RecipeTooLargeException(RecipeLocation location, string message) : Exception(message)
    {
        public RecipeLocation Location { get; } = location;
    }
}
