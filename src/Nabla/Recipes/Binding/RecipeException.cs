using Nabla.Core;

namespace Nabla;

/// <summary>A recipe cannot run; <see cref="Findings"/> lists every problem in it.</summary>
public sealed class RecipeException : NablaException
{
    /// <summary>Creates the error.</summary>
    /// <param name="findings">Every problem found, at least one.</param>
    public RecipeException(IReadOnlyList<RecipeFinding> findings)
        : base(Describe(findings))
        => Findings = findings;

    /// <summary>Every problem found, in the order of the file.</summary>
    public IReadOnlyList<RecipeFinding> Findings { get; }

    /// <inheritdoc/>
    public override string Code => "recipe-invalid";

    private static string Describe(IReadOnlyList<RecipeFinding> findings)
    {
        ArgumentNullException.ThrowIfNull(findings);
        var errors = findings.Count(finding => finding.Severity == FindingSeverity.Error);
        var title = errors == 1 ? "The recipe has a problem:" : $"The recipe has {errors} problems:";
        return string.Join('\n', findings.Select(finding => "  " + finding).Prepend(title));
    }
}
