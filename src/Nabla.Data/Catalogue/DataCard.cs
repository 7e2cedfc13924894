using System.Text;

namespace Nabla.Data;

/// <summary>What a person must know before using a data set.</summary>
public sealed record DataCard
{
    /// <summary>What the set is: contents, size, how it was made.</summary>
    public required string Description { get; init; }

    /// <summary>Where it comes from: makers, year, repository and commit.</summary>
    public required string Source { get; init; }

    /// <summary>Known problems: errors, bias, leaks between splits.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>What it must not be used for.</summary>
    public required IReadOnlyList<string> NotFor { get; init; }

    /// <summary>How the files differ from the publisher's, or null when they do not.</summary>
    public string? Changes { get; init; }

    /// <summary>The card as plain text, one part a paragraph.</summary>
    public string ToText()
    {
        var text = new StringBuilder().Append(Description).Append("\n\nSource: ").Append(Source);
        if (Changes is not null)
        {
            text.Append("\n\nChanges: ").Append(Changes);
        }
        text.Append("\n\nKnown problems:");
        foreach (var problem in Problems)
        {
            text.Append("\n- ").Append(problem);
        }
        text.Append("\n\nNot to be used for:");
        foreach (var use in NotFor)
        {
            text.Append("\n- ").Append(use);
        }
        return text.ToString();
    }
}
