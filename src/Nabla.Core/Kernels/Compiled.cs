using System.Runtime.CompilerServices;

namespace Nabla.Core.Kernels;

/// <summary>How inner loops in 512-bit vectors are compiled.</summary>
internal static class Compiled
{
    /// <summary>
    /// With all optimisations before the first call. Vectors in the first tier are calls and copies through memory, some twenty times slower, and a
    /// short training (or a measurement of what is fastest) would end before the last tier comes.
    /// </summary>
    public const MethodImplOptions AtOnce = MethodImplOptions.AggressiveOptimization;
}
