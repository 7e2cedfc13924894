using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Nabla;

/// <summary>
/// The valid names of a text in an options record, such as the activations of a model. As <see cref="OptionsRange"/> does, it asks the
/// record's own <c>Validate()</c>: what <see cref="Core.OptionsCheck.OneOf"/> lists for a name that cannot be valid.
/// </summary>
internal static partial class OptionsChoices
{
    private const string Impossible = "\u0001";
    private static readonly ConcurrentDictionary<(Type, string), IReadOnlyList<string>?> Cache = new();

    /// <summary>The valid names of a member, or null when any text is valid.</summary>
    public static IReadOnlyList<string>? Of(Type type, OptionsMember member) => Cache.GetOrAdd((type, member.Key), _ => Probe(type, member));

    private static string[]? Probe(Type type, OptionsMember member)
    {
        if (member.Type.Kind != ValueKind.Text)
        {
            return null;
        }
        var options = Activator.CreateInstance(type)!;
        member.Set(options, Impossible);
        var list = RecipeBinder.ProblemsOf(options)
            .Where(problem => RecipeBinder.KeyOf(problem, [member]) is not null)
            .Select(problem => ListPattern().Match(problem))
            .FirstOrDefault(match => match.Success);
        return list?.Groups[1].Value.Split(", ");
    }

    [GeneratedRegex(@"Valid: (.+)\.\z", RegexOptions.CultureInvariant)]
    private static partial Regex ListPattern();
}
