namespace Nabla.Core;

/// <summary>
/// Rarely used operations of libtorch that TorchSharp does not bind, in a script of their own that is compiled on first use, so that a
/// run that needs none does not wait for it. The rules of <see cref="AtenScript"/> hold. Thread-safe.
/// </summary>
internal static class AtenLayerScript
{
    private const string Source = """
        def embedding_by_frequency(weight: Tensor, ids: Tensor, padding: int) -> Tensor:
            return torch.embedding(weight, ids, padding, True, False)
        def embedding_bag(weight: Tensor, ids: Tensor, offsets: Tensor, mode: int, weights: Optional[Tensor], padding: Optional[int]):
            return torch.embedding_bag(weight, ids, offsets, False, mode, False, weights, False, padding)
        def hardtanh(x: Tensor, low: float, high: float) -> Tensor:
            return torch.hardtanh(x, low, high)
        def adaptive_max_pool3d(x: Tensor, depth: int, height: int, width: int):
            return torch.adaptive_max_pool3d(x, [depth, height, width])
        def flatten_recurrent(weights: List[Tensor], each: int, features: int, mode: int, hidden: int, projection: int, layers: int, both: bool) -> Tensor:
            return torch._cudnn_rnn_flatten_weight(weights, each, features, mode, hidden, projection, layers, True, both)

        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(Compile);

    /// <summary>Calls one of the functions above.</summary>
    /// <typeparam name="TResult">A tensor, or a tuple of tensors.</typeparam>
    /// <param name="name">The function.</param>
    /// <param name="arguments">Its arguments; null is None.</param>
    public static TResult Call<TResult>(string name, params object?[] arguments) => (TResult)Unit.Value.invoke(name, arguments!);

    private static jit.CompilationUnit Compile()
    {
        NablaRuntime.EnsureLoaded();
        return jit.compile(Source);
    }
}
