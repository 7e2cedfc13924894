using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Torch's random state at one moment: the CPU's default generator (from which <see cref="FastDropout"/> draws its keys too) and, where a
/// block computes elsewhere, that device's. Immutable; holds no tensor.
/// </summary>
public sealed class RandomState
{
    private readonly byte[] _cpu;
    private readonly byte[]? _other;
    private readonly Device? _device;

    private RandomState(byte[] cpu, byte[]? other, Device? device) => (_cpu, _other, _device) = (cpu, other, device);

    /// <summary>The state as it is now.</summary>
    /// <param name="device">The device that draws beside the CPU.</param>
    public static RandomState Capture(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.type == DeviceType.CPU
            ? new(Read(Generator.Default), null, null)
            : new(Read(Generator.Default), Read(DeviceGenerators.Default(device)), device);
    }

    /// <summary>Makes this the state again.</summary>
    public void Restore()
    {
        Write(Generator.Default, _cpu);
        if (_other is not null)
        {
            Write(DeviceGenerators.Default(_device!), _other);
        }
    }

    private static byte[] Read(Generator generator)
    {
        using var state = GeneratorState.Save(generator);
        return state.bytes.ToArray();
    }

    private static void Write(Generator generator, byte[] bytes)
    {
        using var state = torch.tensor(bytes, ScalarType.Byte);
        GeneratorState.Restore(generator, state);
    }
}
