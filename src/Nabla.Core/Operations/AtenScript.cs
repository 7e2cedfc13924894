namespace Nabla.Core;

/// <summary>
/// Operations of libtorch that TorchSharp does not bind, reached through one constant TorchScript that is compiled once.
/// A script that does not compile may end the process, so no text from outside ever reaches <see cref="jit.compile(string)"/>.
/// Each function holds a single operation: the executor then runs it as it stands, with the usual autograd. Thread-safe.
/// </summary>
internal static class AtenScript
{
    private const string Source = """
        def attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], p: float, causal: bool, scale: Optional[float], grouped: bool) -> Tensor:
            return torch.scaled_dot_product_attention(q, k, v, mask, p, causal, scale=scale, enable_gqa=grouped)

        def rms_norm(x: Tensor, features: int, weight: Optional[Tensor], epsilon: Optional[float]) -> Tensor:
            return torch.rms_norm(x, [features], weight, epsilon)

        def matmul(a: Tensor, b: Tensor) -> Tensor:
            return torch.matmul(a, b)

        def embedding(weight: Tensor, ids: Tensor, padding: int) -> Tensor:
            return torch.embedding(weight, ids, padding)

        def nll(x: Tensor, target: Tensor, weight: Optional[Tensor], reduction: int, ignore: int) -> Tensor:
            return torch.nll_loss_nd(x, target, weight, reduction, ignore)

        def lstm(x: Tensor, state: List[Tensor], weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.lstm(x, state, weights, bias, layers, dropout, train, both, True)

        def lstm_packed(x: Tensor, sizes: Tensor, state: List[Tensor], weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.lstm(x, sizes, state, weights, bias, layers, dropout, train, both)

        def gru(x: Tensor, state: Tensor, weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.gru(x, state, weights, bias, layers, dropout, train, both, True)

        def gru_packed(x: Tensor, sizes: Tensor, state: Tensor, weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.gru(x, sizes, state, weights, bias, layers, dropout, train, both)

        def rnn_tanh(x: Tensor, state: Tensor, weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.rnn_tanh(x, state, weights, bias, layers, dropout, train, both, True)

        def rnn_tanh_packed(x: Tensor, sizes: Tensor, state: Tensor, weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.rnn_tanh(x, sizes, state, weights, bias, layers, dropout, train, both)

        def rnn_relu(x: Tensor, state: Tensor, weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.rnn_relu(x, state, weights, bias, layers, dropout, train, both, True)

        def rnn_relu_packed(x: Tensor, sizes: Tensor, state: Tensor, weights: List[Tensor], bias: bool, layers: int, dropout: float, train: bool, both: bool):
            return torch.rnn_relu(x, sizes, state, weights, bias, layers, dropout, train, both)

        def convolution_input(gradient: Tensor, x: Tensor, weight: Tensor, row: int, column: int, above: int, left: int) -> Tensor:
            return torch.convolution_backward(gradient, x, weight, None, [row, column], [above, left], [1, 1], False, [0, 0], 1, [True, False, False])[0]

        def pack(x: Tensor, lengths: Tensor):
            return torch._pack_padded_sequence(x, lengths, True)

        def unpack(x: Tensor, sizes: Tensor, total: int):
            return torch._pad_packed_sequence(x, sizes, True, 0.0, total)

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
