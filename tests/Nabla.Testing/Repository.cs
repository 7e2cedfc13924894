namespace Nabla.Testing;

/// <summary>Where this checkout lies.</summary>
public static class Repository
{
    private static readonly Lazy<string> LazyRoot = new(FindRoot);

    /// <summary>The folder with <c>Nabla.slnx</c>, found by walking up from the test's own folder.</summary>
    public static string Root => LazyRoot.Value;

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Nabla.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Nabla.slnx.");
    }
}
