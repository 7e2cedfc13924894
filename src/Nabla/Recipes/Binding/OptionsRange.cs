using System.Collections.Concurrent;
using System.Globalization;

namespace Nabla;

/// <summary>
/// The range of a number in an options record. It is found by asking the record's own <c>Validate()</c> about a few telling values,
/// so that the schema and the messages can never say something else than the check.
/// </summary>
internal sealed record OptionsRange(double? Minimum, bool ExcludesMinimum, double? Maximum, bool ExcludesMaximum)
{
    private static readonly ConcurrentDictionary<(Type, string), OptionsRange?> Cache = new();

    /// <summary>The range of a member, or null when the record accepts every value that was tried.</summary>
    public static OptionsRange? Of(Type type, OptionsMember member) => Cache.GetOrAdd((type, member.Key), _ => Probe(type, member));

    /// <summary>The range for a message: <c>" in (0, 1]"</c>, <c>" of at least 1"</c>.</summary>
    public string InWords() => (Minimum, Maximum) switch
    {
        ({ } low, { } high) => string.Create(CultureInfo.InvariantCulture, $" in {(ExcludesMinimum ? '(' : '[')}{low}, {high}{(ExcludesMaximum ? ')' : ']')}"),
        ({ } low, null) => string.Create(CultureInfo.InvariantCulture, $" {(ExcludesMinimum ? "above" : "of at least")} {low}"),
        (null, { } high) => string.Create(CultureInfo.InvariantCulture, $" {(ExcludesMaximum ? "below" : "of at most")} {high}"),
        _ => "",
    };

    private static OptionsRange? Probe(Type type, OptionsMember member)
    {
        if (member.Type.Kind is not (ValueKind.Integer or ValueKind.Number))
        {
            return null;
        }
        bool Accepts(double value)
        {
            var options = Activator.CreateInstance(type)!;
            member.Set(options, Convert.ChangeType(value, member.Type.Type, CultureInfo.InvariantCulture));
            return !RecipeBinder.ProblemsOf(options).Any(problem => RecipeBinder.KeyOf(problem, [member]) is not null);
        }
        const double Tiny = 1e-9;
        var isInteger = member.Type.Kind == ValueKind.Integer;
        double? minimum = null;
        var excludesMinimum = false;
        if (!Accepts(-1))
        {
            (minimum, excludesMinimum) = (Accepts(0), !isInteger && Accepts(Tiny), Accepts(1), Accepts(2)) switch
            {
                (true, _, _, _) => (0, false),
                (_, true, _, _) => (0, true),
                (_, _, true, _) => (1, false),
                (_, _, _, true) => (2, false),
                _ => ((double?)null, false),
            };
        }
        double? maximum = null;
        var excludesMaximum = false;
        if (!isInteger && !Accepts(1 + Tiny) && Accepts(0.5))
        {
            (maximum, excludesMaximum) = (1, !Accepts(1));
        }
        return minimum is null && maximum is null ? null : new(minimum, excludesMinimum, maximum, excludesMaximum);
    }
}
