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
        ("out of memory", "Use a smaller batch_size with accumulate_batches, or precision bfloat16-mixed."),
        ("can't allocate memory", "Use a smaller batch_size with accumulate_batches, or precision bfloat16-mixed."),
        ("is out of bounds", "A label lies outside the classes of the model: check that the model has as many classes as the data, and that labels start at 0."),
        ("index out of range", "An id lies outside an embedding: check the model's vocabulary size against the data."),
    ];

    /// <summary>The error of a batch in training or evaluation.</summary>
    public static TrainingException Of(Exception error, string where, Batch batch)
    {
        var message = error.Message.Split('\n', 2)[0];
        var remedy = Known.FirstOrDefault(known => error.Message.Contains(known.Says, StringComparison.OrdinalIgnoreCase)).Remedy ?? "Check the shapes of the data against the model.";
        var text = $"{where}: the native library refused a batch of {Shapes(batch)}: {message} {remedy}";
        return IsOutOfMemory(error) ? new MemoryException(text, error) : new TrainingException(text, error);
    }

    /// <summary>Whether an error says that memory was not enough.</summary>
    public static bool IsOutOfMemory(Exception error) => error is OutOfMemoryException or MemoryException
        || (error is ExternalException && (error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)));

    private static string Shapes(Batch batch) => batch.Fields.Count == 0
        ? "unknown shape"
        : string.Join(", ", batch.Fields.Select(field => $"{field} {ShapeException.Format(batch[field].shape)} {batch[field].dtype}"));
}
