using System.Text.Json;
using Microsoft.Playwright;
using Nabla.Tests;

namespace Nabla.Browser.Tests;

/// <summary>Opens report.html in Chromium, without a network, as a reader would.</summary>
public sealed class ReportPageTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nabla-report-");

    public static MatrixTheoryData<string, int> Sizes { get; } = new(["classification", "regression", "language"], [1440, 390, 360]);

    public static MatrixTheoryData<string, ColorScheme> Schemes { get; } = new(["classification", "regression", "language"], [ColorScheme.Light, ColorScheme.Dark]);

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Report_WithoutNetwork_AsksForNothingAndFitsTheWidth(string kind, int width)
    {
        var file = Write(kind);

        await using var open = await browser.OpenAsync(file, width);

        Assert.Empty(open.Messages);
        Assert.Equal([new Uri(file).AbsoluteUri], open.Requests.Where(url => !url.StartsWith("data:", StringComparison.Ordinal)));
        Assert.Equal(width, await open.Page.EvaluateAsync<int>("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"));
        await Assertions.Expect(open.Page.Locator("h1")).ToHaveCountAsync(1);
        Assert.True(new FileInfo(file).Length < 2_000_000, $"The report has {new FileInfo(file).Length} bytes.");
    }

    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task Classification_Opened_ShowsCurvesMatrixAndPictures(int width)
    {
        await using var open = await browser.OpenAsync(Write("classification"), width);

        var loss = open.Page.Locator("figure", new() { Has = open.Page.GetByRole(AriaRole.Heading, new() { Name = "loss", Exact = true }) });
        await Assertions.Expect(loss.Locator("svg.chart")).ToBeVisibleAsync();
        await Assertions.Expect(loss.Locator("g.series[data-name='train/loss'] path.smooth")).ToBeVisibleAsync();
        await Assertions.Expect(loss.Locator("g.series[data-name='validation/loss'] path.raw")).ToBeVisibleAsync();
        var matrix = open.Page.Locator("table.matrix");
        await Assertions.Expect(matrix.Locator("tbody tr")).ToHaveCountAsync(7);
        await Assertions.Expect(matrix.Locator("td.hit").First).ToHaveTextAsync("138");
        var pictures = open.Page.Locator(".samples img");
        await Assertions.Expect(pictures).ToHaveCountAsync(18);
        Assert.True(await pictures.EvaluateAllAsync<bool>("images => images.every(image => image.complete && image.naturalWidth === 32 && image.alt.length > 0)"));
    }

    [Fact]
    public async Task ClassName_WithMarkup_StaysText()
    {
        var sample = SampleReports.Classification();
        const string attack = "<script>window.broken = 1</script><img src=x onerror='window.broken = 2'>";
        var file = Path.Combine(_folder.FullName, "attack.html");
        ReportWriter.WriteHtml(sample with
        {
            Title = attack,
            Confusion = sample.Confusion! with { Classes = [attack, .. sample.Confusion.Classes.Skip(1)] },
            Samples = [new() { Predicted = attack, Actual = "\"><svg onload=window.broken=3>", Text = attack, Correct = false }],
            Settings = attack,
            Curves = [new("train/" + attack, [new(1, 1, 2), new(2, 2, 1)])],
        }, file);

        await using var open = await browser.OpenAsync(file, 1440);

        Assert.Empty(open.Messages);
        Assert.True(await open.Page.EvaluateAsync<bool>("window.broken === undefined"));
        Assert.Equal(1, await open.Page.Locator("script").CountAsync());
        await Assertions.Expect(open.Page.Locator("h1")).ToHaveTextAsync(attack);
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public async Task Text_InLightAndDark_HasEnoughContrast(string kind, ColorScheme scheme)
    {
        await using var open = await browser.OpenAsync(Write(kind), 1440, scheme: scheme);
        await open.Page.EvaluateAsync("document.querySelectorAll('details').forEach(details => details.open = true)");

        var weak = await open.Page.EvaluateAsync<JsonElement>(ContrastScript);

        Assert.True(weak.GetProperty("checked").GetInt32() > 60, $"Only {weak.GetProperty("checked")} texts were measured.");
        Assert.Equal("[]", weak.GetProperty("weak").GetRawText());   // WCAG 2.2, criterion 1.4.3: 4.5 to 1
        Assert.Equal(scheme == ColorScheme.Dark, weak.GetProperty("dark").GetBoolean());
    }

    [Fact]
    public async Task Chart_UnderThePointer_ReadsOutValues()
    {
        await using var open = await browser.OpenAsync(Write("classification"), 1440);
        var chart = open.Page.Locator("svg.chart").First;
        var values = open.Page.Locator("figure.card .values").First;

        await chart.HoverAsync();

        await Assertions.Expect(values).ToContainTextAsync("step");
        await Assertions.Expect(values).ToContainTextAsync("train");
        await Assertions.Expect(values).ToContainTextAsync("validation");
        await open.Page.Mouse.MoveAsync(0, 0);
        await Assertions.Expect(values).Not.ToContainTextAsync("step");
    }

    [Fact]
    public async Task Chart_WithArrowKeys_ReadsOutValuesOfTheEnds()
    {
        await using var open = await browser.OpenAsync(Write("classification"), 1440);
        var chart = open.Page.Locator("svg.chart").First;
        var values = open.Page.Locator("figure.card .values").First;

        await chart.FocusAsync();
        await open.Page.Keyboard.PressAsync("End");
        var last = SampleReports.Classification().Curves.Single(curve => curve.Name == "train/loss").Points[^1];
        await Assertions.Expect(values).ToContainTextAsync($"step 600, epoch 12  train {last.Value.ToString("G4", System.Globalization.CultureInfo.InvariantCulture)}");
        await open.Page.Keyboard.PressAsync("Home");
        await Assertions.Expect(values).ToContainTextAsync("step 1, epoch 0.02");
    }

    [Fact]
    public async Task Smoothing_SetToZero_DrawsTheRawCurve()
    {
        await using var open = await browser.OpenAsync(Write("classification"), 1440);
        var series = open.Page.Locator("g.series[data-name='train/loss']");
        var before = await series.Locator(".smooth").GetAttributeAsync("d");

        await open.Page.Locator("#smoothing").FillAsync("0");

        var (raw, smooth) = (await series.Locator(".raw").GetAttributeAsync("d"), await series.Locator(".smooth").GetAttributeAsync("d"));
        Assert.NotEqual(before, smooth);
        Assert.Equal(Numbers(raw!), Numbers(smooth!), (a, b) => Math.Abs(a - b) < 0.02);
    }

    [Fact]
    public async Task Report_WithoutScript_StillReads()
    {
        await using var open = await browser.OpenAsync(Write("classification"), 1440, script: false);

        await Assertions.Expect(open.Page.Locator("g.series path").First).ToBeVisibleAsync();
        await Assertions.Expect(open.Page.Locator(".controls")).ToBeHiddenAsync();
        await Assertions.Expect(open.Page.Locator("table.matrix")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Report_ForAssistiveTechnology_HasNamesAndOrder()
    {
        await using var open = await browser.OpenAsync(Write("classification"), 1440);

        Assert.Equal("en", await open.Page.Locator("html").GetAttributeAsync("lang"));
        Assert.Equal(0, await open.Page.Locator("img:not([alt]), table:not(:has(caption)), svg[role=img]:not([aria-label])").CountAsync());
        var levels = await open.Page.Locator("h1, h2, h3").EvaluateAllAsync<int[]>("all => all.map(one => Number(one.tagName[1]))");
        Assert.Equal(1, levels[0]);
        Assert.All(levels.Zip(levels.Skip(1)), pair => Assert.True(pair.Second - pair.First <= 1, "A heading level is skipped."));
        await open.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(open.Page.Locator(".skip")).ToBeFocusedAsync();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Write(string kind)
    {
        var file = Path.Combine(_folder.FullName, $"{kind}.html");
        ReportWriter.WriteHtml(kind switch { "classification" => SampleReports.Classification(), "regression" => SampleReports.Regression(), _ => SampleReports.Language() }, file);
        return file;
    }

    private static double[] Numbers(string path) =>
        [.. path.Split(['M', 'L', ' '], StringSplitOptions.RemoveEmptyEntries).Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>Finds visible texts whose colour is too near to the ground behind them (WCAG relative luminance).</summary>
    private const string ContrastScript = """
        () => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const rgba = colour => {
            canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
          };
          const luminance = c => {
            const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = element => {
            for (let e = element; e; e = e.parentElement) {
              const c = rgba(getComputedStyle(e).backgroundColor);
              if (c[3] === 255) return c;
            }
            return rgba('white');
          };
          const weak = []; let checked = 0;
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.textContent.trim() || element.closest('script, title, .skip') || !element.checkVisibility({ visibilityProperty: true })) continue;
            const style = getComputedStyle(element), svg = element.namespaceURI.endsWith('svg');
            const [a, b] = [luminance(rgba(svg ? style.fill : style.color)), luminance(ground(element))].sort((x, y) => y - x);
            checked++;
            if ((a + 0.05) / (b + 0.05) < 4.5) weak.push(element.className + ' "' + element.textContent.slice(0, 30) + '" ' + ((a + 0.05) / (b + 0.05)).toFixed(2));
          }
          return { checked, weak: [...new Set(weak)], dark: luminance(ground(document.body)) < 0.1 };
        }
        """;
}
