namespace Nabla.Data.Tests;

/// <summary>The folder of real data sets: <c>NABLA_DATA</c>, else <c>shared/data</c> beside the repository.</summary>
internal static class SharedData
{
    public static string? Folder { get; } = Find();

    public static string Require()
    {
        Assert.SkipUnless(Folder is not null, "the shared data folder is not here; set NABLA_DATA");
        return Folder!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("NABLA_DATA") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Nabla.slnx")))
            {
                var shared = Path.Combine(folder.Parent?.FullName ?? folder.FullName, "shared", "data");
                return Directory.Exists(shared) ? shared : null;
            }
        }
        return null;
    }
}
