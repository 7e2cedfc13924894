using System.Text.RegularExpressions;
using Nabla.Testing;

namespace Nabla.Cli.Tests.BadInput;

/// <summary>The list in <c>docs/errors/README.md</c> names tests that exist.</summary>
public sealed partial class ErrorListTests
{
    [Fact]
    public void TestsNamedInTheList_Exist()
    {
        var list = File.ReadAllText(Path.Combine(Repository.Root, "docs", "errors", "README.md"));
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories).ToLookup(Path.GetFileNameWithoutExtension);
        var rows = list.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).ToArray();

        Assert.True(rows.Length >= 20, "The list has lost lines.");
        foreach (var row in rows)
        {
            var names = TestName().Matches(row.Split('|')[3]);
            Assert.NotEmpty(names);
            Assert.All(names, name => Assert.Contains(
                files[name.Groups["class"].Value], file => File.ReadAllText(file).Contains($" {name.Groups["method"].Value}(", StringComparison.Ordinal)));
        }
    }

    [GeneratedRegex(@"`(?<class>\w+Tests)\.(?<method>\w+)`")]
    private static partial Regex TestName();
}
