using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Lists the pictures of a folder. With one sub-folder for each class, sub-folders' names are the classes; a flat folder with a file
/// <c>labels.csv</c> takes classes from its columns <c>file</c> and <c>label</c>. Hidden files and files of other kinds are passed over.
/// Files and classes are in ordinal order of their names, the same on every machine.
/// </summary>
public static class ImageFolder
{
    /// <summary>Name of the file that holds the labels of a flat folder.</summary>
    public const string LabelsFile = "labels.csv";

    private static readonly EnumerationOptions s_below = new() { RecurseSubdirectories = true, MaxRecursionDepth = 16, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
    private static readonly EnumerationOptions s_here = new() { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };

    /// <summary>Lists pictures with their classes.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DataException">The folder is missing or empty, a class has no pictures, there is only one class, or the labels do not fit the files.</exception>
    public static ImageListing List(string folder)
    {
        CheckExists(folder);
        return File.Exists(Path.Combine(folder, LabelsFile)) ? ListByLabels(folder) : ListByFolder(folder);
    }

    /// <summary>Lists pictures without classes, sub-folders included, as for predictions.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DataException">The folder is missing or holds no picture.</exception>
    public static ImageListing ListUnlabelled(string folder)
    {
        CheckExists(folder);
        var paths = Pictures(folder, s_below);
        return paths.Count > 0 ? new(folder, paths, null, []) : throw Empty(folder);
    }

    private static ImageListing ListByFolder(string folder)
    {
        var names = Directory.EnumerateDirectories(folder, "*", s_here).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).ToArray();
        if (names.Length == 0)
        {
            throw Pictures(folder, s_here).Count == 0 ? Empty(folder) : new DataException(
                $"{folder}: expected a sub-folder for each class, or a file {LabelsFile} with the columns file and label; got pictures without labels.");
        }
        var (paths, classes) = (new List<string>(), new List<long>());
        for (var id = 0; id < names.Length; id++)
        {
            var pictures = Pictures(Path.Combine(folder, names[id]), s_below);
            if (pictures.Count == 0)
            {
                throw new DataException($"{Path.Combine(folder, names[id])}: class '{names[id]}' has no pictures ({string.Join(", ", ImageFile.Extensions)}). Add some, or remove the folder.");
            }
            paths.AddRange(pictures);
            classes.AddRange(Enumerable.Repeat((long)id, pictures.Count));
        }
        return Checked(new(folder, paths, classes, names));
    }

    private static ImageListing ListByLabels(string folder)
    {
        var labelsPath = Path.Combine(folder, LabelsFile);
        using var table = DelimitedFile.Open(labelsPath);
        var (file, label) = (Column(table, labelsPath, "file"), Column(table, labelsPath, "label"));
        var labels = new SortedDictionary<string, (string Label, long Line)>(StringComparer.Ordinal);
        foreach (var record in table.Records())
        {
            var (name, value) = (record.Fields[file].Replace('\\', '/'), record.Fields[label]);
            if (value.Length == 0)
            {
                throw new DataException($"{labelsPath}, line {record.Line}: expected a label for '{name}', got none.");
            }
            if (Path.IsPathRooted(name) || name.Split('/').Contains("..") || !File.Exists(Path.Combine(folder, name)))
            {
                throw new DataException($"{labelsPath}, line {record.Line}: there is no file '{name}' in {folder}.");
            }
            if (!labels.TryAdd(name, (value, record.Line)))
            {
                throw new DataException($"{labelsPath}, line {record.Line}: file '{name}' has a label already, on line {labels[name].Line}.");
            }
        }
        if (labels.Count == 0)
        {
            throw new DataException($"{labelsPath}: expected at least one picture, got none.");
        }
        string[] names = [.. labels.Values.Select(value => value.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var ids = names.Select((name, id) => (name, id)).ToDictionary(pair => pair.name, pair => (long)pair.id, StringComparer.Ordinal);
        return Checked(new(folder, [.. labels.Keys.Select(name => Path.Combine(folder, name))], [.. labels.Values.Select(value => ids[value.Label])], names));
    }

    private static int Column(DelimitedFile table, string path, string name)
    {
        var place = table.Columns.ToList().IndexOf(name);
        return place >= 0 ? place : throw new DataException($"{path}: expected the columns file and label, got {string.Join(", ", table.Columns)}.");
    }

    private static ImageListing Checked(ImageListing listing) => listing.ClassNames.Count >= 2
        ? listing
        : throw new DataException($"{listing.Folder}: expected at least two classes, got only '{listing.ClassNames[0]}'.");

    private static void CheckExists(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new DataException(File.Exists(folder) ? $"{folder}: expected a folder of pictures, got a file." : $"{folder}: there is no such folder.");
        }
    }

    private static DataException Empty(string folder) => new($"{folder}: expected pictures ({string.Join(", ", ImageFile.Extensions)}), got none.");

    private static List<string> Pictures(string folder, EnumerationOptions options) =>
    [
        .. Directory.EnumerateFiles(folder, "*", options)
            // The system's hidden mark does not cover dot files everywhere.
            .Where(path => !Path.GetRelativePath(folder, path).Split(Path.DirectorySeparatorChar).Any(part => part.StartsWith('.')))
            .Where(path => ImageFile.Extensions.Contains(Path.GetExtension(path).ToLowerInvariant()))
            .OrderBy(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'), StringComparer.Ordinal),
    ];
}
