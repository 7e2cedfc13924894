using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Nabla;

/// <summary>Puts the page together. Its order is the order of a reader's questions: how good, how did it get there, what goes wrong, on what data, with what.</summary>
internal sealed partial class ReportPage(ReportData data)
{
    private readonly HtmlWriter _html = new();
    private readonly List<(string Id, string Title)> _sections = [];

    /// <summary>The page as text.</summary>
    public string Render()
    {
        HtmlWriter body = _html;
        WriteCurves();
        WriteErrors();
        WriteResiduals();
        WriteLanguage();
        WriteSamples();
        WriteDataCard();
        WriteModel();
        WriteProfile();
        WriteSettings();
        WriteEnvironment();
        HtmlWriter page = new();
        var (style, script) = (Asset("report.css"), Asset("report.js"));
        page.Write($"""<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src '{Hash(style)}'; script-src '{Hash(script)}'; base-uri 'none'; form-action 'none'">""");
        page.Write($"""<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><meta name="generator" content="Nabla {Version}"><link rel="icon" href="data:,"><title>{data.Title} - run report</title><style>""");
        page.Trusted(style);
        page.Write($"""</style></head><body><a class="skip" href="#content">Skip to the report</a>""");
        WriteHeader(page);
        if (_sections.Count > 0)
        {
            page.Write($"""<nav aria-label="Sections"><div class="wrap"><ul>""");
            foreach (var (id, title) in _sections)
            {
                page.Write($"""<li><a href="#{id}">{title}</a></li>""");
            }
            page.Write($"</ul></div></nav>");
        }
        page.Write($"""<main id="content" class="wrap">""");
        page.Trusted(body.ToString());
        page.Write($"""</main><footer class="wrap"><p>Written by Nabla {Version}. This page is one file and asks for nothing from the network.</p></footer><script>""");
        page.Trusted(script);
        page.Write($"</script></body></html>\n");
        return page.ToString();
    }

    /// <summary>The version of this library, without the build's own marks.</summary>
    private static string Version { get; } =
        typeof(ReportPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private void WriteHeader(HtmlWriter page)
    {
        page.Write($"""<header class="wrap"><p class="eyebrow">{data.Task.Replace('-', ' ')}</p><div class="title"><h1>{data.Title}</h1><span class="status {StatusStyle(data.Status)}">{data.Status.Replace('-', ' ')}</span></div><p class="when">""");
        List<string> parts = [];
        if (data.StartedAt is { } started)
        {
            parts.Add(started.ToUniversalTime().ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture));
        }
        if (data.Duration is { } duration)
        {
            parts.Add($"took {MetricText.Duration(duration)}");
        }
        if (data.Model is { } model)
        {
            parts.Add($"{model.Name}, {MetricText.ShortCount(model.Parameters)} parameters");
        }
        if (data.RunId.Length > 0)
        {
            parts.Add($"run {data.RunId}");
        }
        page.Write($"{string.Join(" \u00b7 ", parts)}</p>");
        if (ReportVerdict.Of(data) is { Length: > 0 } verdict)
        {
            page.Write($"""<p class="verdict">{Unbroken(verdict)}</p>""");
        }
        if (data.Headline.Count > 0)
        {
            page.Write($"""<dl class="tiles">""");
            foreach (var metric in data.Headline)
            {
                page.Write($"""<div class="tile"><dt>{metric.Name}</dt><dd>{MetricText.Value(metric.Name, metric.Value)}</dd>""");
                if (metric.Note is { } note)
                {
                    page.Write($"""<dd class="remark">{note}</dd>""");
                }
                page.Write($"</div>");
            }
            page.Write($"</dl>");
        }
        if (data.Findings.Count > 0)
        {
            page.Write($"""<ul class="findings" aria-label="What to know">""");
            foreach (var finding in data.Findings)
            {
                var severity = finding.Severity.ToString();
                page.Write($"""<li class="{severity.ToLowerInvariant()}"><strong><span class="severity">{severity}</span> {finding.Title}</strong> {Unbroken(finding.Text)}</li>""");
            }
            page.Write($"</ul>");
        }
        page.Write($"</header>");
    }

    private static string StatusStyle(string status) => status switch
    {
        "completed" or "stopped-early" => "good",
        "failed" or "crashed" => "bad",
        _ => "open",
    };

    private void Begin(string id, string title, string? lead = null)
    {
        _sections.Add((id, title));
        _html.Write($"""<section id="{id}" aria-labelledby="{id}-title"><h2 id="{id}-title">{title}</h2>""");
        if (lead is not null)
        {
            _html.Write($"""<p class="lead">{lead}</p>""");
        }
    }

    private void End() => _html.Write($"</section>");

    /// <summary>Opens a box that scrolls sideways by itself, so that a wide table never makes the page scroll.</summary>
    private void BeginTable(string caption, string style = "")
    {
        _html.Write($"""<div class="scroll {(style.StartsWith("matrix", StringComparison.Ordinal) ? "fit" : "")}" role="region" tabindex="0" aria-label="{caption}"><table class="{style}"><caption><span>{caption}</span></caption>""");
    }

    private void EndTable() => _html.Write($"</table></div>");

    private void WriteFacts(IEnumerable<ReportFact> facts)
    {
        _html.Write($"""<dl class="facts">""");
        foreach (var fact in facts.Where(fact => fact.Value.Length > 0))
        {
            _html.Write($"<div><dt>{fact.Name}</dt><dd>{fact.Value}</dd></div>");
        }
        _html.Write($"</dl>");
    }

    /// <summary>A bar whose length is a share in [0, 1].</summary>
    private void WriteBar(double share, string style = "")
    {
        var width = double.IsFinite(share) ? Math.Clamp(share, 0, 1) * 100 : 0;
        _html.Write($"""<svg class="meter {style}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="6" rx="1"/><rect class="part" width="{width}" height="6" rx="1"/></svg>""");
    }

    private static string Asset(string name)
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} is missing from {typeof(ReportPage).Assembly.Location}: build Nabla again.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    /// <summary>The text's hash as a content security policy names it.</summary>
    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Text in which no line ends between a number and its percent sign.</summary>
    private static string Unbroken(string text) => text.Replace(" %", "\u00a0%", StringComparison.Ordinal);
}
