namespace Nabla.Core;

/// <summary>Saves and restores the state of a torch generator; a state of the wrong size is refused instead of ending the process.</summary>
public static class GeneratorState
{
    /// <summary>A copy of the generator's state, <c>[bytes]</c> (uint8); the caller owns it.</summary>
    /// <param name="generator">The generator.</param>
    public static Tensor Save(Generator generator)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return generator.get_state();
    }

    /// <summary>Restores a state.</summary>
    /// <param name="generator">The generator.</param>
    /// <param name="state">A state from <see cref="Save"/> of a generator of the same device, <c>[bytes]</c> (uint8).</param>
    /// <exception cref="CheckpointException">The state is of another size or type.</exception>
    public static void Restore(Generator generator, Tensor state)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(state);
        using var current = generator.get_state();
        if (state.dtype != ScalarType.Byte || !state.Sizes().AsSpan().SequenceEqual(current.Sizes()))
        {
            throw new CheckpointException(
                $"GeneratorState.Restore: expected a generator state of {ShapeException.Format(current.Sizes())} bytes, got {ShapeException.Format(state.Sizes())} of {state.dtype}. It comes from another device or is damaged; resume on the same kind of device, or start anew.");
        }
#pragma warning disable RS0030 // The one guarded call.
        generator.set_state(state);
#pragma warning restore RS0030
    }
}
