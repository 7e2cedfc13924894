namespace Nabla.Core;

/// <summary>Whether something that Nabla needs is right.</summary>
public enum DoctorStatus
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Works, but something is missing or slower than it could be.</summary>
    Warning,

    /// <summary>Nabla cannot work like this.</summary>
    Error,
}

/// <summary>One line of <c>nabla doctor</c>.</summary>
/// <param name="Area">What it belongs to: system, libraries, processor, devices, memory, folders.</param>
/// <param name="Name">What was looked at.</param>
/// <param name="Value">What was found.</param>
/// <param name="Status">Whether that is right.</param>
/// <param name="Remedy">What to do, when it is not right; null otherwise.</param>
public sealed record DoctorCheck(string Area, string Name, string Value, DoctorStatus Status = DoctorStatus.Good, string? Remedy = null);
