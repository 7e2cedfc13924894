using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Nabla.Core;

namespace Nabla;

/// <summary>How problems are said.</summary>
internal sealed partial class RecipeBinder
{
    private object? Mismatch(MemberType type, RecipeNode node, string path, OptionsMember? member, object? owner)
    {
        var (expected, got) = (TypeName(type, member, owner), node.Describe());
        var hint = node is ScalarNode { IsPlain: false } && type.Kind is (ValueKind.Boolean or ValueKind.Integer or ValueKind.Number) ? " Remove the quotes." : "";
        Add(node.Location, path, $"expected {expected}, got {got}.{hint}", expected, got);
        return null;
    }

    private object? UnknownName(RecipeLocation place, string path, string noun, string name, IReadOnlyList<string> valid)
    {
        Add(place, path, $"'{name}' is not a known {noun}. {NearestName.Suggest(name, valid)}".TrimEnd(), $"a known {noun}", $"'{name}'", NearestName.Find(name, valid));
        return null;
    }

    private void UnknownKey(MappingEntry entry, string path, IReadOnlyList<string> valid)
    {
        _places[path] = entry.KeyLocation;
        var group = path.LastIndexOf('.') is > 0 and var dot ? $"'{path[..dot]}'" : "a recipe";
        // A name that is near to no key of this group may belong to another group.
        var nearest = NearestName.Find(entry.Key, valid);
        var elsewhere = nearest is null ? KeysByPath(typeof(Recipe), "").FirstOrDefault(candidate => candidate.EndsWith("." + entry.Key, StringComparison.Ordinal)) : null;
        var hint = elsewhere is null ? NearestName.Suggest(entry.Key, valid) : $"Did you mean '{elsewhere}'? {Valid(valid).TrimStart()}";
        Add(entry.KeyLocation, path, $"the key '{entry.Key}' is not known in {group}. {hint}".TrimEnd(), "a known key", $"'{entry.Key}'", nearest ?? elsewhere);
    }

    /// <summary>Calls the record's own <c>Validate</c> and gives each of its problems the line of the key that it begins with.</summary>
    private void Validate(object options, IReadOnlyList<OptionsMember> members, HashSet<string> failed, string path)
    {
        foreach (var problem in ProblemsOf(options))
        {
            var key = KeyOf(problem, members);
            var mentioned = members.Where(member => failed.Contains(member.Key) && (member.Key == key || Mentions(problem, member.Key)));
            if (mentioned.Any())
            {
                continue; // said already, of the key itself
            }
            var at = key is null ? path : Join(path, key);
            var said = ProblemPattern().Match(problem);
            Add(PlaceOf(at), at, problem, said.Success ? said.Groups["expected"].Value : null, said.Success ? said.Groups["got"].Value : null,
                NearestPattern().Match(problem) is { Success: true } nearest ? nearest.Groups[1].Value : null);
        }
    }

    /// <summary>The problems that a record's <c>Validate()</c> throws; none when it has no such method.</summary>
    internal static IReadOnlyList<string> ProblemsOf(object options)
    {
        var validate = options.GetType().GetMethod("Validate", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, Type.EmptyTypes);
        if (validate is null)
        {
            return [];
        }
        try
        {
            validate.Invoke(options, null);
            return [];
        }
        catch (TargetInvocationException thrown) when (thrown.InnerException is OptionsException problem)
        {
            // A record that also validates the records inside it repeats their problems; those have been said with their own lines.
            return problem.Options == options.GetType().Name ? problem.Problems : [];
        }
        catch (TargetInvocationException thrown) when (thrown.InnerException is ArgumentException or NablaException)
        {
            return [thrown.InnerException.Message];
        }
    }

    /// <summary>The member that a problem begins with, as key (<c>batch_size must ...</c>) or as property (<c>BatchSize must ...</c>).</summary>
    internal static string? KeyOf(string problem, IReadOnlyList<OptionsMember> members)
    {
        var end = 0;
        while (end < problem.Length && (char.IsAsciiLetterOrDigit(problem[end]) || problem[end] == '_'))
        {
            end++;
        }
        var word = problem[..end];
        return members.FirstOrDefault(member => member.Key == word || member.Property.Name == word || member.Key == JsonNamingPolicy.SnakeCaseLower.ConvertName(word))?.Key;
    }

    private static bool Mentions(string problem, string key) => Regex.IsMatch(problem, $@"\b{Regex.Escape(key)}\b", RegexOptions.CultureInvariant);

    /// <summary>What a value must be, in words, with its range where the record's own check tells it.</summary>
    private static string TypeName(MemberType type, OptionsMember? member, object? owner)
    {
        var range = member is not null && owner is not null ? OptionsRange.Of(owner.GetType(), member) : null;
        var name = type.Kind switch
        {
            ValueKind.Boolean => "true or false",
            ValueKind.Integer => "an integer" + range?.InWords() + (member is { AllowsAuto: true } ? ", or auto" : ""),
            ValueKind.Number => "a number" + range?.InWords(),
            ValueKind.Text => "text",
            ValueKind.Character => "a single character",
            ValueKind.Enum => $"one of {string.Join(", ", OptionsMembers.EnumNames(type.Type).Select(value => value.Name))}",
            ValueKind.List => $"a list of {Plural(type.Element!)}",
            ValueKind.Dictionary => "a group of names with values",
            ValueKind.Record => "a group of keys",
            _ => $"a {RecipeParts.Of(type.Type).Noun}",
        };
        return type.AllowsNull ? $"{name} (or null)" : name;
    }

    private static string Plural(MemberType type) => type.Kind switch
    {
        ValueKind.Integer => "integers",
        ValueKind.Number => "numbers",
        ValueKind.Text => "texts",
        ValueKind.Part => $"{RecipeParts.Of(type.Type).Noun}s",
        _ => "values",
    };

    private static string Valid(IReadOnlyList<string> names) => names.Count is > 0 and <= 24 ? $" Valid: {string.Join(", ", names)}." : "";

    private static string Example(string path) => path switch
    {
        "task" => " Example: task: image-classification",
        "data" => " Example: data: {dataset: fashion-mnist}",
        "model" => " Example: model: {family: resnet}",
        _ => "",
    };

    private static IEnumerable<string> KeysByPath(Type type, string path) => OptionsMembers.Of(type).SelectMany(member => member.Type.Kind == ValueKind.Record
        ? KeysByPath(member.Type.Type, Join(path, member.Key)).Prepend(Join(path, member.Key))
        : [Join(path, member.Key)]);

    private void Add(RecipeLocation place, string key, string message, string? expected = null, string? got = null, string? nearest = null)
        => findings.Add(new()
        {
            File = place.File,
            Line = place.Line,
            Column = place.Column,
            Key = key,
            Message = message,
            Expected = expected,
            Got = got,
            Nearest = nearest,
        });

    [GeneratedRegex(@"^\w+ must (?:be )?(?<expected>.+); (?:it is|it is:|they are) (?<got>.+?)\.?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex ProblemPattern();

    [GeneratedRegex("Did you mean '(.+?)'", RegexOptions.CultureInvariant)]
    private static partial Regex NearestPattern();
}
