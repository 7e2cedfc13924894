using Nabla.Core;

namespace Nabla;

/// <summary>No run, or more than one, fits what the user asked for; the message lists what there is.</summary>
public sealed class RunNotFoundException(string message, Exception? innerException = null) : NablaException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "run-not-found";
}
