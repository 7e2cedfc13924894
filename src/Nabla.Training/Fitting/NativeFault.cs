using System.Runtime.InteropServices;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>Turns errors of the native library in a step into ones that say where and what to do.</summary>
internal static class NativeFault
{
    // What libtorch says, and what its users have to do.
    private static readonly (string Says, string Remedy)[] Known =
    [
        ("Expected more than 1 value per channel", "A batch of one example cannot be batch-normalised while training: set drop_last, use a batch size that leaves no single example, or use layer or group normalisation."),
        ("is out of bounds", "A label lies outside the classes of the model: check that the model has as many classes as the data, and that labels start at 0."),
        ("index out of range", "An id lies outside an embedding: check the model's vocabulary size against the data."),
    ];

    private static readonly string[] NoMemory = ["out of memory", "can't allocate memory", "not enough memory"];

    /// <summary>The error of a batch in training or evaluation: a <see cref="MemoryException"/> where memory did not suffice, else a <see cref="TrainingException"/>.</summary>
    public static NablaException Of(Exception error, string where, Batch batch)
    {
        var message = error.Message.Split('\n', 2)[0];
        if (IsNoMemory(error))
        {
            return new MemoryException($"{where}: memory did not suffice for a batch of {Shapes(batch)}: {message} Use a smaller batch_size with accumulate_batches (the same step in less memory), or precision bfloat16-mixed; what the step held has been freed, and the last checkpoint is whole.", error);
        }
        var remedy = Known.FirstOrDefault(known => error.Message.Contains(known.Says, StringComparison.OrdinalIgnoreCase)).Remedy ?? "Check the shapes of the data against the model.";
        return new TrainingException($"{where}: the native library refused a batch of {Shapes(batch)}: {message} {remedy}", error);
    }

    /// <summary>The error of an optimiser's update.</summary>
    public static NablaException InUpdate(ExternalException error, string where)
    {
        var message = error.Message.Split('\n', 2)[0];
        return IsNoMemory(error)
            ? new MemoryException($"{where}: memory did not suffice for the update of the weights: {message} Use an optimiser with less state (sgd, lion), a smaller model, or a machine with more memory; the last checkpoint is whole.", error)
            : new TrainingException($"{where}: the native library refused the update of the weights: {message} Check that parameters keep their shape and device while training.", error);
    }

    private static bool IsNoMemory(Exception error) => error is OutOfMemoryException || NoMemory.Any(text => error.Message.Contains(text, StringComparison.OrdinalIgnoreCase));

    private static string Shapes(Batch batch) => batch.Fields.Count == 0
        ? "unknown shape"
        : string.Join(", ", batch.Fields.Select(field => $"{field} {ShapeException.Format(batch[field].Sizes())} {batch[field].dtype}"));
}
