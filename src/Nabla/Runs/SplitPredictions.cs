using Nabla.Core;
using Nabla.Data;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>What a model said of every example of a split, gathered batch by batch in the order of the data.</summary>
internal sealed class SplitPredictions(string task)
{
    private readonly List<float[]> _probabilities = [];
    private readonly List<long> _classes = [];
    private readonly List<double> _values = [], _actual = [];

    /// <summary>Whether single examples can be looked at; a language model's cannot.</summary>
    public bool HasExamples => task != ModelTasks.LanguageModeling;

    /// <summary>Number of examples.</summary>
    public int Count => Math.Max(_classes.Count, _values.Count);

    /// <summary>Probability of each class for an example.</summary>
    public float[] Probabilities(int example) => _probabilities[example];

    /// <summary>True class of an example.</summary>
    public long Class(int example) => _classes[example];

    /// <summary>Predicted class of an example.</summary>
    public int Predicted(int example) => Array.IndexOf(_probabilities[example], _probabilities[example].Max());

    /// <summary>Predicted values, in the target's own unit.</summary>
    public IReadOnlyList<double> Values => _values;

    /// <summary>True values, in the target's own unit.</summary>
    public IReadOnlyList<double> Actual => _actual;

    /// <summary>Takes in one evaluated batch.</summary>
    public void Add(Batch batch, StepOutput output)
    {
        if (!HasExamples || output.Predictions is null || output.Targets is null)
        {
            return;
        }
        using var scope = NewDisposeScope();
        if (task == ModelTasks.TabularRegression)
        {
            _values.AddRange(output.Predictions.to(ScalarType.Float64, CPU).contiguous().data<double>().ToArray());
            _actual.AddRange(output.Targets.to(ScalarType.Float64, CPU).contiguous().data<double>().ToArray());
            return;
        }
        var probabilities = functional.softmax(output.Predictions.to_type(ScalarType.Float32), 1).to(CPU).contiguous();   // [batch, classes]
        var classes = (int)probabilities.Sizes()[1];
        var values = probabilities.data<float>().ToArray();
        for (var row = 0; row < probabilities.Sizes()[0]; row++)
        {
            _probabilities.Add(values[(row * classes)..((row + 1) * classes)]);
        }
        _classes.AddRange(output.Targets.to(CPU).data<long>().ToArray());
    }

    /// <summary>Counts by true and predicted class, <c>[true][predicted]</c>.</summary>
    public IReadOnlyList<IReadOnlyList<long>> Confusion(int classes)
    {
        var counts = new long[classes][];
        for (var i = 0; i < classes; i++)
        {
            counts[i] = new long[classes];
        }
        for (var example = 0; example < Count; example++)
        {
            counts[Class(example)][Predicted(example)]++;
        }
        return counts;
    }
}
