namespace Nabla.Core;

/// <summary>
/// Whether operations of this thread may take Nabla's own fused kernels, or only plain operations of libtorch. Both paths give the
/// same numbers within rounding; the switch is for tests, and for finding out which path an error comes from. Default: on.
/// </summary>
public static class FusedOperations
{
    [ThreadStatic]
    private static bool _areOff;

    /// <summary>Whether fused kernels are taken on the calling thread.</summary>
    public static bool AreEnabled => !_areOff;

    /// <summary>Turns fused kernels on or off on the calling thread until the result is disposed; do not await in between.</summary>
    /// <param name="areEnabled">Whether fused kernels are taken.</param>
    /// <returns>Disposing it restores what was before.</returns>
    public static IDisposable Use(bool areEnabled)
    {
        var before = _areOff;
        _areOff = !areEnabled;
        return new Restoration(before);
    }

    private sealed class Restoration(bool before) : IDisposable
    {
        public void Dispose() => _areOff = before;
    }
}
