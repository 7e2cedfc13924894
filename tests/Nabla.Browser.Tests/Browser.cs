using Microsoft.Playwright;

namespace Nabla.Browser.Tests;

/// <summary>Debian's Chromium, headless and without a network, shared by the tests of a class; null when it is not installed.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public static string? Executable { get; } = new[] { Environment.GetEnvironmentVariable("NABLA_CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }
        .FirstOrDefault(path => path is { Length: > 0 } && File.Exists(path));

    public async ValueTask InitializeAsync()
    {
        if (Executable is null)
        {
            return;
        }
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Executable,
            Headless = true,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>Opens a file; skips the test when there is no Chromium.</summary>
    public async Task<OpenPage> OpenAsync(string path, int width, int height = 900, ColorScheme scheme = ColorScheme.Light, bool script = true)
    {
        Assert.SkipUnless(_browser is not null, "Chromium is not installed: apt-get install chromium, or name it in NABLA_CHROMIUM.");
        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
            JavaScriptEnabled = script,
            Offline = true,
            ReducedMotion = ReducedMotion.Reduce,
        });
        OpenPage open = new(context, await context.NewPageAsync());
        await open.Page.GotoAsync(new Uri(path).AbsoluteUri);
        return open;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
        _playwright?.Dispose();
    }
}

/// <summary>A page with everything that went wrong on it and everything that it asked for.</summary>
public sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    public OpenPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) => Messages.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Messages.Add($"error: {error}");
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public IPage Page { get; }

    public List<string> Messages { get; } = [];

    public List<string> Requests { get; } = [];

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
