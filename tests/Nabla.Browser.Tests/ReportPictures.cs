using Microsoft.Playwright;
using Nabla.Tests;

namespace Nabla.Browser.Tests;

/// <summary>Takes pictures of sample reports for people to look at: set NABLA_PICTURES to the folder to write.</summary>
public sealed class ReportPictures(Browser browser) : IClassFixture<Browser>
{
    public static MatrixTheoryData<string, int, ColorScheme> Cases { get; } =
        new(["classification", "regression", "language"], [1440, 390], [ColorScheme.Light, ColorScheme.Dark]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task SampleReport_IsRendered_GivesAPicture(string kind, int width, ColorScheme scheme)
    {
        var folder = Environment.GetEnvironmentVariable("NABLA_PICTURES");
        Assert.SkipUnless(folder is { Length: > 0 }, "NABLA_PICTURES names no folder for the pictures.");
        var report = Path.Combine(folder, $"{kind}.html");
        ReportWriter.WriteHtml(kind switch { "classification" => SampleReports.Classification(), "regression" => SampleReports.Regression(), _ => SampleReports.Language() }, report);
        await using var open = await browser.OpenAsync(report, width, scheme: scheme);
        await open.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{kind}-{width}-{scheme}.png".ToLowerInvariant()), FullPage = true });
        Assert.Empty(open.Messages);
    }
}
