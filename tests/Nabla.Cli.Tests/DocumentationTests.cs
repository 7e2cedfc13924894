using System.Text.RegularExpressions;
using Nabla.Testing;

namespace Nabla.Cli.Tests;

/// <summary>What the documentation shows is what there is: its C# stands in samples that are compiled, its command lines are understood.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Root = Repository.Root;

    public static TheoryData<string> Pages => [.. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
        .Append(Path.Combine(Root, "README.md"))
        .Select(path => Path.GetRelativePath(Root, path))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void CSharp_OfAPage_StandsInASample(string page)
    {
        string[] samples = [.. Directory.GetFiles(Path.Combine(Root, "samples"), "*.cs", SearchOption.AllDirectories).Select(file => Plain(File.ReadAllText(file)))];

        Assert.All(Blocks(page, "csharp"), block => Assert.True(
            samples.Any(sample => sample.Contains(Plain(block), StringComparison.Ordinal)),
            $"{page}: this C# is no part of a file below samples/, where a test compiles and runs it:\n{block}"));
    }

    [Fact]
    public void CSharp_OfTheReadme_BeginsWithTheWholeFirstModel()
        => Assert.Equal(Plain(File.ReadAllText(Path.Combine(Root, "samples", "FirstModel", "Program.cs"))), Plain(Blocks("README.md", "csharp")[0]));

    [Theory]
    [MemberData(nameof(Pages))]
    public void CommandLine_OfAPage_IsUnderstood(string page)
    {
        CommandOutput output = new(TextWriter.Null, TextWriter.Null, () => TextReader.Null);
        CommandRunner runner = new(output, Interrupts.None);
        var text = File.ReadAllText(Path.Combine(Root, page));
        string[] lines =
        [
            .. Blocks(page, "console").SelectMany(block => block.Split('\n')).Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(line => line[2..]),
            .. InlineCode().Matches(Fences().Replace(text, "")).Select(match => match.Groups[1].Value),
        ];
        foreach (var line in lines)
        {
            if (Words(line) is not ["nabla" or "./nabla", .. var arguments])
            {
                continue;
            }
            var parsed = NablaCommandLine.Parse(arguments, runner, CommandHandlers.BuiltIn, output);
            // A word in a text may name a group of verbs, such as "nabla runs", or stand for any verb.
            var wrong = arguments is ["<verb>"] || parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0 ? null : UsageErrors.Of(parsed, arguments);
            Assert.True(wrong is null, $"{page}: '{line}' is not understood: {wrong?.Message}");
        }
    }

    [Fact]
    public void Links_ToFiles_LeadSomewhere()
        => Assert.All(Pages.Select(row => row.Data), page => Assert.All(
            Link().Matches(File.ReadAllText(Path.Combine(Root, page))).Select(match => match.Groups[1].Value).Where(target => !target.Contains(':', StringComparison.Ordinal) && !target.StartsWith('#')),
            target => Assert.True(Path.Exists(Path.Combine(Root, Path.GetDirectoryName(page)!, target.Split('#')[0])), $"{page}: the link to {target} leads nowhere.")));

    private static List<string> Blocks(string page, string language)
        => [.. Fences().Matches(File.ReadAllText(Path.Combine(Root, page))).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value)];

    /// <summary>Text without what does not matter: indentation, line ends.</summary>
    private static string Plain(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim())).Trim();

    /// <summary>The words of a command line as a shell has them, without a comment and variables set for it.</summary>
    private static string[] Words(string line)
        => [.. Word().Matches(line).Select(match => match.Value).TakeWhile(word => word[0] != '#').Select(word => word.Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal)).SkipWhile(word => Variable().IsMatch(word))];

    [GeneratedRegex("^ *```([a-z]*)[^\n]*\n(.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"(?:[^\s""']|""[^""]*""|'[^']*')+")]
    private static partial Regex Word();

    [GeneratedRegex("^[A-Z_]+=")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
