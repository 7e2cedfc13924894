using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Reads labelled data of a user, with the encoders that training fitted, for evaluation.</summary>
internal static class LabelledInput
{
    /// <summary>Opens data of the kind that the run was trained on.</summary>
    /// <exception cref="DataException">It is missing, damaged, without labels, or holds a label that training never saw.</exception>
    public static IBatchSource Open(string path, Recipe recipe, Preprocessing preprocessing)
    {
        switch (recipe.Task)
        {
            case ModelTasks.ImageClassification:
                return ImageFolderPreparation.Labelled(path, preprocessing);
            case ModelTasks.TextClassification:
                var (text, label) = RawData.TextColumns(recipe.Data, path);
                var split = TextClassificationData.ReadWithClasses(path, text, label, preprocessing.Classes, RawData.FileOptions(recipe.Data));
                return TextPreparation.Source(Vocabulary(preprocessing), split.Texts, split.Labels, preprocessing.Text!.MaxLength);
            case ModelTasks.LanguageModeling:
                var vocabulary = Vocabulary(preprocessing);
                return preprocessing.Text!.IsLines && vocabulary is CharacterVocabulary { BoundaryId: { } boundary }
                    ? new LineLanguageModelSource([.. PlainText.ReadLines(path, skipBlank: true).Select(vocabulary.Encode)], boundary, preprocessing.Text.MaxLength)
                    : new LanguageModelSource(vocabulary.Encode(PlainText.Read(path)), new() { Time = preprocessing.Text.MaxLength, Windows = TextWindows.SideBySide });
            default:
                var encoder = TableEncoder.FromJson(preprocessing.Table!.Value.GetRawText());
                var table = TableFile.Read(path, RawData.FileOptions(recipe.Data) with { Kinds = encoder.Kinds });
                return new TensorSource(encoder.Encode(table).ToFields());
        }
    }

    private static ITextVocabulary Vocabulary(Preprocessing preprocessing) => TextVocabulary.FromJson(preprocessing.Text!.Vocabulary.GetRawText());
}
