using System.Globalization;
using System.Text.Json.Nodes;
using Nabla.Models;

namespace Nabla.Cli;

/// <summary>Predicts with a trained model.</summary>
internal static class PredictHandler
{
    private const int ShownClasses = 3;

    /// <summary>Prints an answer for each input.</summary>
    public static async Task<VerbResult> RunAsync(PredictRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var folder = new RunStore(request.RunsFolder).Find(request.Run);
        var predictions = await Task.Run(() => Predict(folder, request, output), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        foreach (var prediction in predictions)
        {
            output.Out.WriteLine(Line(prediction));
        }
        return new(new JsonObject { ["predictions"] = new JsonArray([.. predictions.Select(ToJson)]) });
    }

    private static IReadOnlyList<Prediction> Predict(string folder, PredictRequest request, CommandOutput output)
    {
        using var predictor = Predictor.Open(folder, request.Device);
        List<string> inputs = [];
        List<string> temporary = [];
        try
        {
            foreach (var input in request.Inputs)
            {
                if (input != "-")
                {
                    inputs.Add(input);
                }
                else if (predictor.Task is ModelTasks.TabularClassification or ModelTasks.TabularRegression)
                {
                    temporary.Add(Path.ChangeExtension(Path.GetTempFileName(), ".csv"));
                    File.WriteAllText(temporary[^1], output.In.ReadToEnd());
                    inputs.Add(temporary[^1]);
                }
                else
                {
                    inputs.AddRange(Lines(output.In));
                }
            }
            return predictor.Predict(inputs);
        }
        finally
        {
            temporary.ForEach(File.Delete);
        }
    }

    private static IEnumerable<string> Lines(TextReader reader)
    {
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
            {
                yield return line;
            }
        }
    }

    private static string Line(Prediction prediction)
    {
        if (prediction.Text is { } text)
        {
            return prediction.Input + text;
        }
        var actual = prediction.Actual is null ? "" : $"  (actual: {prediction.Actual})";
        return prediction.Value is { } value
            ? string.Create(CultureInfo.InvariantCulture, $"{prediction.Input}: {value:G7}{actual}")
            : $"{prediction.Input}: {string.Join(", ", prediction.Probabilities.Take(ShownClasses).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Label} {p.Probability * 100:0.0} %")))}{actual}";
    }

    private static JsonNode ToJson(Prediction prediction)
    {
        JsonObject json = new() { ["input"] = prediction.Input };
        if (prediction.Label is not null)
        {
            json["label"] = prediction.Label;
            json["probabilities"] = new JsonObject(prediction.Probabilities.Select(p => KeyValuePair.Create(p.Label, (JsonNode?)JsonValue.Create(p.Probability))));
        }
        if (prediction.Value is { } value)
        {
            json["value"] = value;
        }
        if (prediction.Text is not null)
        {
            json["text"] = prediction.Text;
        }
        if (prediction.Actual is not null)
        {
            json["actual"] = prediction.Actual;
        }
        return json;
    }
}
