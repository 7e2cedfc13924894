using Nabla.Core;

namespace Nabla;

/// <summary>Writes a run's report as one page that needs no network, and as JSON. Files appear under their final name only when whole.</summary>
public static class ReportWriter
{
    /// <summary>
    /// Writes the page: one file with its style, script, charts and pictures inside. All text of the report is escaped, and a content security
    /// policy forbids everything that the page did not bring along.
    /// </summary>
    /// <param name="data">What to tell.</param>
    /// <param name="path">The file to write; an older one is replaced.</param>
    /// <exception cref="OptionsException">The confusion matrix is not square, or predicted and actual values differ in number.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteHtml(ReportData data, string path) => WriteWhole(path, ToHtml(data));

    /// <summary>Writes the report's records as JSON.</summary>
    /// <param name="data">What to tell.</param>
    /// <param name="path">The file to write; an older one is replaced.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteJson(ReportData data, string path)
    {
        ArgumentNullException.ThrowIfNull(data);
        WriteWhole(path, ReportJson.Write(data));
    }

    /// <summary>Reads what <see cref="WriteJson"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">The file is not a report, or of a newer layout.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ReportData ReadJson(string path)
    {
        try
        {
            var data = ReportJson.Read(File.ReadAllText(path)) ?? throw new CheckpointException($"{path}: expected a report, got null. Write it again with 'nabla evaluate'.");
            return data.FormatVersion == 1
                ? data
                : throw new CheckpointException($"{path}: this report has layout version {data.FormatVersion}; this Nabla reads version 1. Use the Nabla that wrote it.");
        }
        catch (System.Text.Json.JsonException error)
        {
            throw new CheckpointException($"{path}: not a report: {error.Message} Write it again with 'nabla evaluate'.", error);
        }
    }

    /// <summary>The page as text.</summary>
    /// <param name="data">What to tell.</param>
    /// <exception cref="OptionsException">The confusion matrix is not square, or predicted and actual values differ in number.</exception>
    public static string ToHtml(ReportData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        data.Confusion?.Validate();
        data.Residuals?.Validate();
        return new ReportPage(data).Render();
    }

    private static void WriteWhole(string path, string text)
    {
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        AtomicFile.WriteText(full, text);
    }
}
