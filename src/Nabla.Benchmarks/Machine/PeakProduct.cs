namespace Nabla.Benchmarks;

/// <summary>A matrix product on which libtorch comes close to what the device can multiply. Owns its tensors.</summary>
/// <param name="type">Type of its entries.</param>
internal sealed class PeakProduct(ScalarType type) : IDisposable
{
    private const long Side = 2048;
    private readonly Tensor _a = Random(type), _b = Random(type);

    /// <summary>Multiply-adds of one product.</summary>
    public static double MultiplyAdds => (double)Side * Side * Side;

    /// <summary>Multiplies.</summary>
    public void Run()
    {
        using var ungraded = no_grad();
        _a.mm(_b).Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    private static Tensor Random(ScalarType type)
    {
        using var values = randn(Side, Side);
        return values.to(WorkloadDevice.Current).to_type(type);
    }
}
