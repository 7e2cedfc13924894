using TorchSharp.Modules;

namespace Nabla.Core;

/// <summary>Makes tensors that a module owns, out of reach of any dispose scope around its construction.</summary>
public static class Ownership
{
    /// <summary>A trainable parameter holding <paramref name="value"/>; the caller (a module field) owns it.</summary>
    /// <param name="value">Initial value; it is taken over.</param>
    /// <param name="requiresGrad">Whether it is trained.</param>
    public static Parameter AsOwnedParameter(this Tensor value, bool requiresGrad = true)
    {
        var parameter = new Parameter(value, requiresGrad);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>A buffer (state that is saved but not trained) holding <paramref name="value"/>; the caller owns it.</summary>
    /// <param name="value">Initial value; it is taken over.</param>
    public static Tensor AsOwnedBuffer(this Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        value.DetachFromDisposeScope();
        return value;
    }
}
