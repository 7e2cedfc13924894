namespace Nabla.Core;

/// <summary>One seed fixes all randomness of a run.</summary>
public static class Seeds
{
    private static readonly Lazy<bool> HasCuda = new(() => Devices.CudaCount() > 0, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>
    /// Sets torch's global generators (all devices) for a place in a run. Every training step does this, so what a step draws
    /// depends on the seed and the step only, and a resumed run needs no saved generator state.
    /// </summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What is drawn.</param>
    /// <param name="path">Where in the run, such as the step.</param>
    public static void SetGlobal(long seed, RandomPurpose purpose, params ReadOnlySpan<long> path)
    {
        NablaRuntime.EnsureLoaded();
        var number = RandomStream.SeedAt(seed, purpose, path);
        using var generator = random.manual_seed(number); // the CPU's only, other than PyTorch's function of this name
        if (HasCuda.Value)
        {
            cuda.manual_seed_all(number);
        }
    }
}
