using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Mixed precision: inside its scope, matrix products and convolutions of float32 tensors run in a smaller type, while reductions, losses and
/// the parameters themselves stay in float32 (Micikevicius et al., 2018, arXiv:1710.03740). Put it around the forward pass and the loss, not
/// around the backward pass or the step: casts of weights are kept until the outermost scope ends.
/// </summary>
/// <example><code>using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16)) { loss = lossFunction.call(model.call(x), y); }</code></example>
/// <remarks>The state belongs to the thread: a scope ends on the thread that entered it, and other threads do not see it.</remarks>
public static class Autocast
{
    private static readonly Lazy<string?> LazyReason = new(FindReason, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Whether the loaded libtorch offers autocast to this program.</summary>
    public static bool IsAvailable => UnavailableReason is null;

    /// <summary>Why it is not available, or null.</summary>
    public static string? UnavailableReason => LazyReason.Value;

    /// <summary>Turns autocast on, or with float32 off, until the result is disposed; then what was before holds again.</summary>
    /// <param name="device">The device that computes: CPU or CUDA.</param>
    /// <param name="type">BFloat16, Float16, or Float32 to compute in full precision inside an outer scope.</param>
    /// <returns>The scope; dispose it on the same thread, inner ones first.</returns>
    /// <exception cref="ArgumentException">The device or type is none of those.</exception>
    /// <exception cref="NativeLibraryException">Autocast is not available; see <see cref="UnavailableReason"/>.</exception>
    public static AutocastScope Enter(DeviceType device, ScalarType type)
    {
        if (device is not (DeviceType.CPU or DeviceType.CUDA))
        {
            throw new ArgumentException($"Autocast.Enter: expected CPU or CUDA, got {device}. Compute in float32 on other devices.", nameof(device));
        }
        if (type is not (ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32))
        {
            throw new ArgumentException($"Autocast.Enter: expected BFloat16, Float16 or Float32, got {type}.", nameof(type));
        }
        if (UnavailableReason is { } reason)
        {
            throw new NativeLibraryException($"Mixed precision is not available: {reason} Set precision to float32.");
        }
        return new(device, type);
    }

    /// <summary>The type that matrix products of float32 tensors run in on this thread.</summary>
    /// <param name="device">CPU or CUDA.</param>
    public static ScalarType TypeOn(DeviceType device)
        => IsAvailable && device is DeviceType.CPU or DeviceType.CUDA && AutocastExports.Current.IsEnabled(device) ? AutocastExports.Current.GetScalarType(device) : ScalarType.Float32;

    private static string? FindReason()
    {
        var missing = AutocastExports.Current.Missing;
        return missing.Count == 0 ? null : $"this libtorch ({System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier}) does not export {missing[0]}{(missing.Count > 1 ? $" and {missing.Count - 1} more" : "")}.";
    }
}

/// <summary>
/// A stretch of code under autocast, made by <see cref="Autocast.Enter"/>. A ref struct, so that no <c>await</c> can lie inside. The default
/// value does nothing when disposed.
/// </summary>
public readonly ref struct AutocastScope
{
    private readonly DeviceType _device;
    private readonly ScalarType _typeBefore;
    private readonly bool _wasEnabled, _isEntered;

    internal AutocastScope(DeviceType device, ScalarType type)
    {
        var exports = AutocastExports.Current;
        (_device, _wasEnabled, _typeBefore, _isEntered) = (device, exports.IsEnabled(device), exports.GetScalarType(device), true);
        exports.IncrementNesting();
        if (type != ScalarType.Float32)
        {
            exports.SetScalarType(device, type);
        }
        exports.SetEnabled(device, type != ScalarType.Float32);
    }

    /// <summary>Ends the scope: what was before holds again.</summary>
    public void Dispose()
    {
        if (!_isEntered)
        {
            return;
        }
        var exports = AutocastExports.Current;
        exports.DecrementNesting();
        exports.SetScalarType(_device, _typeBefore);
        exports.SetEnabled(_device, _wasEnabled);
    }
}
