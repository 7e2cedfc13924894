using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Some inputs as a source, with how each is called and what its true answer is where that is known. Owns the source.</summary>
internal sealed record InputPart(IBatchSource Source, Func<long, string> Name, Func<long, string?> Actual) : IDisposable
{
    public void Dispose() => (Source as IDisposable)?.Dispose();
}

/// <summary>Turns what a user has into what the model reads, with the encoders that training fitted.</summary>
internal sealed class InputReader
{
    private readonly Preprocessing _preprocessing;
    private readonly ITextVocabulary? _vocabulary;

    public InputReader(Preprocessing preprocessing)
    {
        _preprocessing = preprocessing;
        Table = preprocessing.Table is { } table ? TableEncoder.FromJson(table.GetRawText()) : null;
        _vocabulary = preprocessing.Text is { } text ? TextVocabulary.FromJson(text.Vocabulary.GetRawText()) : null;
    }

    /// <summary>The fitted table encoder, or null.</summary>
    public TableEncoder? Table { get; }

    /// <summary>Reads inputs: picture files and folders, texts, or table files.</summary>
    /// <exception cref="DataException">An input is missing or does not fit.</exception>
    public IEnumerable<InputPart> Read(IReadOnlyList<string> inputs) => _preprocessing.Model.Task switch
    {
        ModelTasks.ImageClassification => [Pictures([.. inputs.SelectMany(PictureFiles)])],
        ModelTasks.TextClassification => [Texts(inputs)],
        _ => inputs.Select(Rows),
    };

    private InputPart Pictures(IReadOnlyList<string> files)
    {
        ImageListing listing = new("", files, null, []);
        return new(new ImageFolderSource(listing, ImageFolderPreparation.SourceOptions(_preprocessing.Image!)), index => files[(int)index], _ => null);
    }

    private InputPart Texts(IReadOnlyList<string> texts)
        => new(TextPreparation.Source(_vocabulary!, texts, null, _preprocessing.Text!.MaxLength), index => texts[(int)index], _ => null);

    private InputPart Rows(string path)
    {
        if (!File.Exists(path))
        {
            throw new DataException($"'{path}': expected a table file (CSV, TSV, JSON lines or Parquet), got {(Directory.Exists(path) ? "a folder" : "nothing at this path")}.");
        }
        var table = TableFile.Read(path, new() { Kinds = Table!.Kinds });
        var target = table.Find(Table.Target);
        var source = new TensorSource(Table.Encode(table, withTarget: false).ToFields());
        return new(source, row => table.Place((int)row), row => target?.Text((int)row));
    }

    private static IEnumerable<string> PictureFiles(string input)
    {
        if (File.Exists(input))
        {
            return [input];
        }
        if (!Directory.Exists(input))
        {
            throw new DataException($"'{input}': expected a picture file or a folder of pictures, got nothing at this path.");
        }
        return ImageFolder.ListUnlabelled(input).Paths;
    }
}
