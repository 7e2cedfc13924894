namespace Nabla.Core;

/// <summary>
/// Base of every error that Nabla reports to its users. The message says where, what was expected, what came and what to do.
/// </summary>
public class NablaException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">Where, what was expected, what came, and what to do.</param>
    /// <param name="innerException">The cause, when there is one below.</param>
    public NablaException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>A stable, kebab-case name of this kind of error, such as <c>data-invalid</c>; printed by <c>--json</c>.</summary>
    public virtual string Code => "failed";
}

/// <summary>A data file or data set is missing, damaged or does not fit what was declared.</summary>
public sealed class DataException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "data-invalid";
}

/// <summary>A file could not be fetched, or what came is not what was asked for.</summary>
public sealed class DownloadException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "download-failed";
}

/// <summary>A checkpoint or run folder is half written, damaged, from another version or of another model.</summary>
public sealed class CheckpointException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "checkpoint-invalid";
}

/// <summary>Training cannot go on: a loss or gradient is not a number, or a batch does not fit the model.</summary>
public sealed class TrainingException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "training-failed";
}

/// <summary>Memory of the processor or of the GPU did not suffice for a batch or a model.</summary>
public sealed class MemoryException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "out-of-memory";
}

/// <summary>The native tensor library could not be found or loaded; the message holds the loader's own words.</summary>
public sealed class NativeLibraryException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "native-library";
}

/// <summary>The device that was asked for is not there or cannot do what is needed.</summary>
public sealed class DeviceException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "device-unavailable";
}
