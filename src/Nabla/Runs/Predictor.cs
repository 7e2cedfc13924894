using Nabla.Core;
using Nabla.Models;

namespace Nabla;

/// <summary>Uses a trained model: pictures, texts, rows of a table or prompts in, answers out. Owns the model. Not thread-safe.</summary>
public sealed class Predictor : IDisposable
{
    private const int BatchSize = 64;
    private readonly OpenedRun _run;
    private readonly InputReader _reader;

    private Predictor(OpenedRun run) => (_run, _reader) = (run, new(run.Preprocessing));

    /// <summary>The task of the model, such as image-classification.</summary>
    public string Task => _run.Recipe.Task;

    /// <summary>The classes in the order of the model's answers; empty when nothing is classified.</summary>
    public IReadOnlyList<string> Classes => _run.Preprocessing.Classes;

    /// <summary>What the model was trained on, in a few words.</summary>
    public string TrainedOn => _run.Preprocessing.TrainedOn;

    /// <summary>Opens the best checkpoint of a run. The caller disposes the predictor.</summary>
    /// <param name="folder">The run folder; it may come from another machine.</param>
    /// <param name="device">Device: auto, cpu, cuda or cuda:n.</param>
    /// <exception cref="NablaException">The folder is no run, half written, damaged or from a newer version.</exception>
    public static Predictor Open(string folder, string device = "auto") => new(OpenedRun.Open(folder, device));

    /// <summary>Predicts for inputs as a user has them: picture files or folders, texts, table files, or prompts to continue.</summary>
    /// <param name="inputs">The inputs, of the kind that the model was trained on.</param>
    /// <param name="generation">How texts are generated; null: all defaults. Language models only.</param>
    /// <returns>The answers in the order of the inputs; a folder or table gives several.</returns>
    /// <exception cref="DataException">An input does not fit; the message says what the run was trained on.</exception>
    public IReadOnlyList<Prediction> Predict(IEnumerable<string> inputs, GenerationOptions? generation = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        try
        {
            return Task == ModelTasks.LanguageModeling
                ? [.. inputs.Select(prompt => new Prediction { Input = prompt, Text = new TextWriting((LanguageModel)_run.Model, _run.Preprocessing).Write(prompt, generation ?? new()).Text })]
                : [.. _reader.Read([.. inputs]).SelectMany(Predict)];
        }
        catch (DataException cause)
        {
            throw new DataException($"{cause.Message} This run was trained on {TrainedOn}.", cause);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _run.Dispose();

    private IEnumerable<Prediction> Predict(InputPart part)
    {
        using var owner = part;
        for (var start = 0L; start < part.Source.Count; start += BatchSize)
        {
            var indices = Enumerable.Range(0, (int)Math.Min(BatchSize, part.Source.Count - start)).Select(i => start + i).ToArray();
            foreach (var prediction in Batch(part, indices))
            {
                yield return prediction;
            }
        }
    }

    private List<Prediction> Batch(InputPart part, long[] indices)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var batch = part.Source.Read(indices).MoveTo(_run.Device);
        var output = _run.Model.call(ModelTask.ToModelBatch(batch)).to_type(ScalarType.Float32);
        List<Prediction> predictions = [];
        if (Task == ModelTasks.TabularRegression)
        {
            var values = output.to(CPU).contiguous().data<float>().ToArray();
            for (var row = 0; row < values.Length; row++)
            {
                var value = _reader.Table!.DecodeTarget(values[row]);
                predictions.Add(new() { Input = part.Name(indices[row]), Value = value, Actual = part.Actual(indices[row]) });
            }
            return predictions;
        }
        var probabilities = functional.softmax(output, 1).to(CPU).contiguous();   // [batch, classes]
        var (flat, classes) = (probabilities.data<float>().ToArray(), Classes.Count);
        for (var row = 0; row < indices.Length; row++)
        {
            var ranked = Enumerable.Range(0, classes).Select(c => new ClassProbability(Classes[c], flat[(row * classes) + c])).OrderByDescending(p => p.Probability).ToList();
            predictions.Add(new() { Input = part.Name(indices[row]), Label = ranked[0].Label, Probabilities = ranked, Actual = part.Actual(indices[row]) });
        }
        return predictions;
    }
}
