using Nabla.Core;

namespace Nabla.Training;

/// <summary>Which metrics a task reports when the recipe names none.</summary>
public static class MetricDefaults
{
    /// <summary>Classes from which top5-accuracy is worth reporting.</summary>
    private const int ManyClasses = 10;

    /// <summary>Names of the metrics of a task, the most telling one first.</summary>
    /// <param name="task">A task that ends in -classification (such as image-classification), -regression (tabular-regression), or is language-modeling.</param>
    /// <param name="classes">Number of classes, for classification.</param>
    /// <exception cref="OptionsException">The task is of no such kind.</exception>
    public static IReadOnlyList<string> For(string task, int? classes = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task switch
        {
            _ when task.EndsWith("classification", StringComparison.Ordinal) => classes switch
            {
                2 => ["accuracy", "precision", "recall", "f1", "auc", "average-precision", "ece", "confusion-matrix"],
                > ManyClasses => ["accuracy", "top5-accuracy", "precision", "recall", "f1", "ece", "confusion-matrix"],
                _ => ["accuracy", "precision", "recall", "f1", "ece", "confusion-matrix"],
            },
            _ when task.EndsWith("regression", StringComparison.Ordinal) => ["rmse", "mae", "r2"],
            _ when task.StartsWith("language", StringComparison.Ordinal) => ["perplexity", "token-accuracy"],
            _ => throw new OptionsException("metrics", [$"task '{task}' has no default metrics: expected a name that ends in classification or regression, or language-modeling."]),
        };
    }
}
