namespace Nabla.Core;

/// <summary>The arithmetic of a run: what <see cref="PrecisionPolicy.Resolve(string, Device, WorkKind)"/> decided, and why.</summary>
/// <param name="Name">float32, bfloat16-mixed or float16-mixed.</param>
/// <param name="Reason">Why, in a sentence for the log.</param>
public sealed record ComputePrecision(string Name, string Reason)
{
    /// <summary>The type of matrix products and convolutions.</summary>
    public ScalarType Type => Name switch
    {
        PrecisionPolicy.BFloat16Mixed => ScalarType.BFloat16,
        PrecisionPolicy.Float16Mixed => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>Whether the forward pass runs under autocast.</summary>
    public bool IsMixed => Type != ScalarType.Float32;

    /// <summary>Whether gradients can vanish, so that the loss must be scaled (float16 has 5 bits of exponent, bfloat16 8).</summary>
    public bool NeedsGradientScaler => Type == ScalarType.Float16;

    /// <summary>
    /// Sets how a GPU multiplies what stays in float32: with 10 mantissa bits (TF32) under mixed precision, exactly under float32. A setting of
    /// the process, as cuBLAS and cuDNN have it; nothing on the CPU.
    /// </summary>
    /// <param name="device">The device that computes.</param>
    public void SetMatrixMode(DeviceType device)
    {
        if (device == DeviceType.CUDA)
        {
            torch.backends.cuda.matmul.allow_tf32 = IsMixed;
            torch.backends.cudnn.allow_tf32 = IsMixed;
        }
    }

    /// <summary>Autocast for a forward pass, or a scope that does nothing in float32.</summary>
    /// <param name="device">The device that computes.</param>
    public AutocastScope Enter(DeviceType device) => IsMixed ? Autocast.Enter(device, Type) : default;
}
