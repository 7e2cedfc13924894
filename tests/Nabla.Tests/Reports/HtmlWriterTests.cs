namespace Nabla.Tests;

public sealed class HtmlWriterTests
{
    [Fact]
    public void Write_WithHoles_EscapesTheHolesOnly()
    {
        HtmlWriter html = new();
        const string name = "<script>alert('x') & \"y\"</script>\u0000";

        html.Write($"<td title=\"{name}\">{1.25}</td>");

        Assert.Equal("<td title=\"&lt;script&gt;alert(&#39;x&#39;) &amp; &quot;y&quot;&lt;/script&gt;\ufffd\">1.25</td>", html.ToString());
    }

    [Fact]
    public void Report_WithMarkupInEveryText_NeverLetsItThrough()
    {
        const string evil = "<script>alert(1)</script>";
        ReportData data = new()
        {
            Title = evil,
            Task = evil,
            RunId = evil,
            Status = evil,
            Headline = [new(evil, 1, evil)],
            Curves = [new("train/" + evil, [new(1, 1, 2), new(2, 1, 1)]), new(evil, [])],
            LearningRate = new(evil, [new(1, 1, 1)]),
            Confusion = new([evil, "b"], [[3, 1], [0, 2]], evil),
            Residuals = new() { Target = evil, Actual = [1, 2], Predicted = [2, 1], Split = evil },
            Language = new() { Token = evil, Split = evil, Perplexity = 2, Generations = [new(evil, evil, evil)] },
            Samples = [new() { Predicted = evil, Actual = evil, Text = evil, Source = evil, Row = [new(evil, evil)], Probabilities = [new(evil, 0.5)], Picture = [1, 2, 3] }],
            Mistakes = [new() { Predicted = evil }],
            DataCard = new() { Name = evil, Description = evil, Licence = evil, Source = evil, ContentHash = evil, Splits = [new(evil, 1, [new(evil, 1)])], Facts = [new(evil, evil)] },
            Model = new() { Name = evil, Layers = [new(evil, evil, evil, 1)], Facts = [new(evil, evil)] },
            Settings = $"{evil}: {evil}\n# {evil}\n{evil}",
            Environment = [new(evil, evil)],
            Resources = [new(evil, evil)],
            Findings = [new(ReportSeverity.Warning, evil, evil)],
        };

        var html = ReportWriter.ToHtml(data);

        Assert.Single(html.Split("<script>")[1..]);   // the page's own
        Assert.DoesNotContain("alert(1)</script>", html, StringComparison.Ordinal);
        Assert.True(html.Split("&lt;script&gt;").Length > 40);
    }
}
