namespace Nabla.Training;

/// <summary>Reads the commit of a git working tree from its files, without running git.</summary>
internal static class GitCommit
{
    /// <summary>The checked-out commit of the repository around <paramref name="folder"/>, or null when there is none.</summary>
    public static string? Find(string folder)
    {
        for (var current = new DirectoryInfo(folder); current is not null; current = current.Parent)
        {
            var dotGit = Path.Combine(current.FullName, ".git");
            if (Directory.Exists(dotGit))
            {
                return Read(dotGit);
            }
            if (File.Exists(dotGit)) // a worktree: "gitdir: PATH"
            {
                var text = FirstLine(dotGit);
                return text is not null && text.StartsWith("gitdir: ", StringComparison.Ordinal) ? Read(Path.GetFullPath(text[8..], current.FullName)) : null;
            }
        }
        return null;
    }

    private static string? Read(string gitFolder)
    {
        if (FirstLine(Path.Combine(gitFolder, "HEAD")) is not { } head)
        {
            return null;
        }
        if (!head.StartsWith("ref: ", StringComparison.Ordinal))
        {
            return head;
        }
        var (reference, common) = (head[5..], gitFolder);
        if (FirstLine(Path.Combine(gitFolder, "commondir")) is { } shared)
        {
            common = Path.GetFullPath(shared, gitFolder);
        }
        return FirstLine(Path.Combine(common, reference)) ?? Packed(Path.Combine(common, "packed-refs"), reference);
    }

    private static string? Packed(string path, string reference) => !File.Exists(path) ? null : File.ReadLines(path)
        .FirstOrDefault(line => line.EndsWith(" " + reference, StringComparison.Ordinal))?.Split(' ')[0];

    private static string? FirstLine(string path) => File.Exists(path) ? File.ReadLines(path).FirstOrDefault()?.Trim() : null;
}
