using System.Globalization;

namespace Nabla;

/// <summary>How much a <see cref="RecipeFinding"/> matters.</summary>
public enum FindingSeverity
{
    /// <summary>The recipe cannot run.</summary>
    Error = 0,

    /// <summary>The recipe can run, but probably not as meant.</summary>
    Warning = 1,
}

/// <summary>One problem in a recipe: where it is, what was expected, what came, and the nearest valid name.</summary>
public sealed record RecipeFinding
{
    /// <summary>The recipe's file as the user named it, or <c>--set key=value</c> for an override.</summary>
    public required string File { get; init; }

    /// <summary>Line in the file, from 1; 0 when the problem has no line (an override, a missing file).</summary>
    public int Line { get; init; }

    /// <summary>Column in the line, from 1; 0 when the problem has no line.</summary>
    public int Column { get; init; }

    /// <summary>Path of the key, such as <c>training.optimizer.learning_rate</c>; empty for the recipe as a whole.</summary>
    public string Key { get; init; } = "";

    /// <summary>What was expected, such as <c>a number above 0</c>; null when that has no meaning.</summary>
    public string? Expected { get; init; }

    /// <summary>What came, such as <c>text 'abc'</c>; null when that has no meaning.</summary>
    public string? Got { get; init; }

    /// <summary>The valid name that the user most likely meant; null when none is near.</summary>
    public string? Nearest { get; init; }

    /// <summary>The problem in a sentence or two, without the place.</summary>
    public required string Message { get; init; }

    /// <summary>How much it matters. Default: error.</summary>
    public FindingSeverity Severity { get; init; }

    /// <summary>The finding as one line: <c>recipe.yaml:7:3: training.epochs: expected an integer, got text 'abc'.</c></summary>
    public override string ToString()
    {
        var place = Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}") : File;
        var key = Key.Length > 0 ? $" {Key}:" : "";
        var severity = Severity == FindingSeverity.Warning ? " warning:" : "";
        return $"{place}:{severity}{key} {Message}";
    }
}
