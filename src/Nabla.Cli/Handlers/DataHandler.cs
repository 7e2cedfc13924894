using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Nabla.Data;
using Spectre.Console;

namespace Nabla.Cli;

/// <summary>Lists, describes and fetches data sets.</summary>
internal static class DataHandler
{
    private static readonly JsonSerializerOptions SnakeCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Lists all catalogued sets and whether their files are there.</summary>
    public static Task<VerbResult> ListAsync(DataListRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var rows = DataSetRow.List();
        var table = new TextTable("name", "task", ">size", "here", "licence", "title");
        foreach (var row in rows)
        {
            table.Add(row.Name, row.Task, row.Bytes == 0 ? "-" : Size(row.Bytes), row.IsPresent ? "yes" : "no", row.Licence, row.Title);
        }
        table.WriteTo(output.Out);
        output.Error.WriteLine($"Data folder: {DataFolder.Resolve()}");
        return Task.FromResult(new VerbResult(new JsonObject { ["folder"] = DataFolder.Resolve(), ["datasets"] = JsonSerializer.SerializeToNode(rows, SnakeCase) }));
    }

    /// <summary>Shows licence, splits, label counts, samples and hash of a set.</summary>
    public static Task<VerbResult> InfoAsync(DataNameRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        Know(request.Name);
        var info = DataSetInfo.Of(request.Name);
        Write(info, output.Out, Drawing(output));
        return Task.FromResult(new VerbResult((JsonObject)JsonSerializer.SerializeToNode(info, SnakeCase)!));
    }

    /// <summary>Fetches what is missing of a set and checks the hashes.</summary>
    public static async Task<VerbResult> PullAsync(DataNameRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var entry = Know(request.Name);
        if (entry.IsGenerated)
        {
            output.Out.WriteLine($"{entry.Name} is generated when it is used; there is nothing to fetch.");
            return new(new JsonObject { ["name"] = entry.Name, ["fetched"] = new JsonArray(), ["kept"] = new JsonArray(), ["bytes"] = 0 });
        }
        using var puller = new DataPuller();
        var result = await puller.PullAsync(entry, progress: new PullReporter(output.Error), cancellationToken: cancellationToken).ConfigureAwait(false);
        output.Out.WriteLine($"{entry.Name} is complete in {result.Folder}: {result.Fetched.Count} files fetched ({Size(result.Bytes)}), {result.Kept.Count} were there.");
        return new(new JsonObject
        {
            ["name"] = entry.Name,
            ["folder"] = result.Folder,
            ["fetched"] = new JsonArray([.. result.Fetched.Select(name => JsonValue.Create(name))]),
            ["kept"] = new JsonArray([.. result.Kept.Select(name => JsonValue.Create(name))]),
            ["bytes"] = result.Bytes,
        });
    }

    /// <summary>Turns a text into a token file.</summary>
    public static Task<VerbResult> TokenizeAsync(DataTokenizeRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var path = request.Output ?? Path.ChangeExtension(request.Text, TokenFile.Extension);
        var (tokens, vocabulary) = TokenWriter.WriteText(request.Text, path, blocks => request.Unit == "word"
            ? WordVocabulary.Fit(blocks, new() { MaxSize = request.MaxSize })
            : CharacterVocabulary.Fit(blocks));
        using var file = TokenFile.Open(path);
        var bytes = new FileInfo(path).Length;
        output.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {tokens:N0} tokens of {vocabulary:N0} kinds, {Size(bytes)}. Train on it with data.path: {path}"));
        return Task.FromResult(new VerbResult(new JsonObject
        {
            ["path"] = path,
            ["tokens"] = tokens,
            ["vocabulary"] = vocabulary,
            ["bytes"] = bytes,
            ["sha256"] = file.ContentHash,
        }));
    }

    private static CatalogueEntry Know(string name) => Catalogue.All.FirstOrDefault(entry => entry.Name == name)
        ?? throw new UsageException($"The data set '{name}' is not known. {Core.NearestName.Suggest(name, [.. Catalogue.All.Select(entry => entry.Name)])}");

    /// <summary>The console, where it can show coloured pictures; else null.</summary>
    private static IAnsiConsole? Drawing(CommandOutput output)
        => ReferenceEquals(output.Out, System.Console.Out) && TrainingDisplay.CanBeLive(System.Console.IsOutputRedirected, Environment.GetEnvironmentVariable)
            && AnsiConsole.Console is { Profile.Capabilities: { Ansi: true, Unicode: true } } console ? console : null;

    private static void Write(DataSetInfo info, TextWriter writer, IAnsiConsole? console)
    {
        writer.WriteLine(info.Title);
        writer.WriteLine($"  task     {info.Task}");
        writer.WriteLine($"  licence  {info.Licence}");
        writer.WriteLine($"  hash     {info.ContentHash}");
        writer.WriteLine($"  here     {(info.IsPresent ? "yes" : $"no (nabla data pull {info.Name})")}");
        if (info.Card is { } card)
        {
            writer.WriteLine($"  source   {card.Source}");
            writer.WriteLine();
            writer.WriteLine(card.Description);
            List(writer, "Known problems", card.Problems);
            List(writer, "Not for", card.NotFor);
        }
        foreach (var split in info.Splits)
        {
            writer.WriteLine();
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{split.Name}: {split.Count:N0} {info.Unit}"));
            if (split.Labels is { Count: > 0 } labels)
            {
                writer.WriteLine($"  {string.Join(", ", labels.Select(label => string.Create(CultureInfo.InvariantCulture, $"{label.Key} {label.Value:N0}")))}");
            }
            if (split.Target is { } target)
            {
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  target: mean {target.Mean:G6}, deviation {target.StandardDeviation:G6}, from {target.Minimum:G6} to {target.Maximum:G6}"));
            }
        }
        if (info.Columns.Count > 0)
        {
            writer.WriteLine();
            var table = new TextTable("column", "kind", ">missing", ">different values");
            foreach (var column in info.Columns)
            {
                table.Add(column.Name, JsonNamingPolicy.KebabCaseLower.ConvertName(column.Kind.ToString()), column.Missing.ToString(CultureInfo.InvariantCulture), column.Distinct.ToString(CultureInfo.InvariantCulture));
            }
            table.WriteTo(writer);
        }
        if (console is not null && info.Pictures.Count > 0)
        {
            writer.WriteLine();
            PictureBlocks.Draw(info.Pictures, console);
            return;
        }
        List(writer, "Samples", info.Samples);
    }

    private static void List(TextWriter writer, string title, IReadOnlyList<string> lines)
    {
        if (lines.Count == 0)
        {
            return;
        }
        writer.WriteLine();
        writer.WriteLine($"{title}:");
        foreach (var line in lines)
        {
            writer.WriteLine($"  - {line.ReplaceLineEndings("\n    ")}");
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
    };

    /// <summary>Says what arrives, one line a file and tenth.</summary>
    private sealed class PullReporter(TextWriter writer) : IProgress<PullProgress>
    {
        private (string File, long Tenth) _last;

        public void Report(PullProgress value)
        {
            var now = (value.File, value.FileSize == 0 ? 10 : value.FileBytes * 10 / value.FileSize);
            if (now != _last)
            {
                _last = now;
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value.File}: {Size(value.FileBytes)} of {Size(value.FileSize)}"));
            }
        }
    }
}
