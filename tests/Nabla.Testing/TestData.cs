namespace Nabla.Testing;

/// <summary>Real data sets for tests. A test that needs one skips, with a reason, where it is not there.</summary>
/// <example><code>Assert.SkipUnless(TestData.Has("fashion-mnist"), TestData.Missing("fashion-mnist"));</code></example>
public static class TestData
{
    /// <summary>The data folder: <c>NABLA_DATA</c>, else <c>shared/data</c> beside the repository; null when neither is there.</summary>
    public static string? Root { get; } = FindRoot("NABLA_DATA", "data");

    /// <summary>The folder of pretrained models: <c>NABLA_HUB</c>, else <c>shared/models</c> beside the repository; null when neither is there.</summary>
    public static string? Hub { get; } = FindRoot("NABLA_HUB", "models");

    /// <summary>Whether the data folder holds this file or folder.</summary>
    /// <param name="path">Relative path, such as <c>iris/iris.csv</c>.</param>
    public static bool Has(string path) => Root is not null && Path.Exists(Path.Combine(Root, path));

    /// <summary>Full path of a file or folder below <see cref="Root"/>.</summary>
    /// <param name="path">Relative path.</param>
    public static string Locate(string path) => Path.Combine(Root ?? throw new DirectoryNotFoundException(Missing(path)), path);

    /// <summary>The reason to give when a test is skipped.</summary>
    /// <param name="path">Relative path.</param>
    public static string Missing(string path) => $"needs '{path}' below NABLA_DATA ({Root ?? "not set, and no ../shared/data"})";

    private static string? FindRoot(string variable, string sharedName)
    {
        var set = Environment.GetEnvironmentVariable(variable);
        if (!string.IsNullOrEmpty(set))
        {
            return Path.GetFullPath(set);
        }
        var beside = Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", sharedName));
        return Directory.Exists(beside) ? beside : null;
    }
}
