using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>Finds the first tensor that is not finite, in the order in which a step uses them, and says so.</summary>
internal static class NumericFault
{
    private const string Page = "docs/errors/nan-loss.md";

    /// <summary>The error for a loss that is not finite, while its batch is at hand.</summary>
    public static TrainingException InLoss(long step, int epoch, double loss, Batch batch, Module module, StepOutput output)
    {
        var where = $"Step {step} (epoch {epoch}): the loss is {Show(loss)}";
        return batch.Fields.FirstOrDefault(field => IsBad(batch[field])) is { } input
            ? Error($"{where}. First bad tensor: field '{input}' of the batch. Clean or impute the data; a number in it is NaN or infinite.")
            : BadState(module) is { } state
            ? Error($"{where}. First bad tensor: '{state}' of the model, broken by an earlier step. {Remedy}")
            : output.Predictions is { } predictions && IsBad(predictions)
            ? Error($"{where}. First bad tensor: the predictions; inputs and weights are finite. {Remedy}")
            : Error($"{where}. First bad tensor: the loss itself; inputs, weights and predictions are finite. {Remedy}");
    }

    /// <summary>The error for a loss found bad some steps later.</summary>
    public static TrainingException InLossBefore(long step, int epoch, Module module)
        => Error($"Step {step} (epoch {epoch}): the loss is not finite. First bad tensor: {(BadState(module) is { } state ? $"'{state}' of the model" : "the loss")}. {Remedy}");

    /// <summary>The error for a gradient that is not finite although the loss is.</summary>
    public static TrainingException InGradient(long step, int epoch, string parameter)
        => Error($"Step {step} (epoch {epoch}): a gradient is not finite, though the loss is. First bad tensor: the gradient of '{parameter}'. {Remedy}");

    /// <summary>Throws when a checkpoint would hold a tensor that is not finite.</summary>
    public static void CheckState(long step, int epoch, Module module)
    {
        if (BadState(module) is { } state)
        {
            throw Error($"Step {step} (epoch {epoch}): the update left weights that are not finite. First bad tensor: '{state}' of the model. No checkpoint is written from it. {(state.EndsWith("running_var", StringComparison.Ordinal) ? BatchOfOne : Remedy)}");
        }
    }

    private static string BatchOfOne => "A batch of one example has no variance: set drop_last, use a batch size that leaves no single example, or use layer or group normalisation; then resume from the last checkpoint, which is whole.";

    private static string Remedy => $"Lower the learning rate, clip gradients (training.gradient_clipping: 1), or use precision float32; then resume from the last checkpoint, which is whole. See {Page}.";

    private static TrainingException Error(string message) => new(message) { HelpLink = Page };

    private static string? BadState(Module module)
    {
        using var noGradient = no_grad();
        return ModuleState.Collect(module).FirstOrDefault(entry => IsBad(entry.Value)).Key;
    }

    private static bool IsBad(Tensor tensor)
    {
        if (!is_floating_point(tensor) || tensor.NumberOfElements == 0)
        {
            return false;
        }
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var values = tensor.detach();
        // A finite sum has finite terms, and needs no memory of its own. A sum can overflow by itself, so only the other way round is it looked at closely.
        return !double.IsFinite(values.sum().to(ScalarType.Float64).cpu().item<double>()) && !isfinite(values).all().cpu().item<bool>();
    }

    private static string Show(double value) => double.IsNaN(value) ? "NaN" : value > 0 ? "infinite" : "minus infinite";
}
