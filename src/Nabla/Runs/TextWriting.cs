using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Lets a language model write, from text to text.</summary>
internal sealed class TextWriting
{
    private readonly LanguageModel _model;
    private readonly ITextVocabulary _vocabulary;
    private readonly bool _isLines;

    public TextWriting(LanguageModel model, Preprocessing preprocessing)
    {
        _model = model;
        _vocabulary = TextVocabulary.FromJson(preprocessing.Text!.Vocabulary.GetRawText());
        _isLines = preprocessing.Text.IsLines;
    }

    /// <summary>Continues a text.</summary>
    /// <param name="prompt">The text to continue; null or empty: the model begins by itself.</param>
    /// <param name="options">How tokens are chosen.</param>
    /// <param name="lines">How many lines to write, where the model was trained on lines.</param>
    /// <exception cref="DataException">The prompt holds characters that training never saw.</exception>
    public (string Prompt, string Text) Write(string? prompt, GenerationOptions options, int lines = 1)
    {
        prompt ??= "";
        if (_isLines && _vocabulary is CharacterVocabulary { BoundaryId: { } boundary })
        {
            var written = Enumerable.Range(0, lines).Select(line => prompt + Continue(
                [boundary, .. _vocabulary.Encode(prompt)], options with { StopToken = boundary, Seed = RandomStream.SeedAt(options.Seed, RandomPurpose.Sampling, line) }));
            return (prompt, string.Join('\n', written));
        }
        var start = _vocabulary.Encode(prompt);
        return (prompt, Continue(start.Length > 0 ? start : [Beginning], options));
    }

    /// <summary>Where a text begins when nothing is given: the first character in order, a line end where there is one, or an unknown word.</summary>
    private int Beginning => _vocabulary is WordVocabulary ? WordVocabulary.UnknownId : 0;

    private string Continue(int[] start, GenerationOptions options)
        => _vocabulary.Decode([.. TextGenerator.Generate(_model, [.. start.Select(id => (long)id)], options).Select(id => (int)id)]);
}
