namespace Nabla.Benchmarks;

/// <summary>Suite <c>kernels</c>: forward and backward of Nabla's own operations against the plain ATen ones, on the sizes of W6, and of W3 for convolutions.</summary>
internal static class KernelSuite
{
    public const string Name = "kernels";
    private const double Dropout = 0.2;
    private static readonly long[] Hidden = [2048, 1536], Heads = [8, 6, 256, 64], Rows = [2048, 384], Features = [384];
    private static readonly long[] Pictures = [32, 128, 16, 16], Kernels = [128, 128, 3, 3], One = [1, 1];

    /// <summary>Each comparison: name, description, plain operations, Nabla's, and the inputs that both take.</summary>
    private static IReadOnlyList<KernelComparison> Comparisons { get; } =
    [
        new("dropout float32", "2048x1536, p 0.2, against torch dropout", [Hidden], ScalarType.Float32,
            inputs => functional.dropout(inputs[0], Dropout, true), inputs => FastDropout.Apply(inputs[0], Dropout)),
        new("dropout bfloat16", "2048x1536, p 0.2, against torch dropout", [Hidden], ScalarType.BFloat16,
            inputs => functional.dropout(inputs[0], Dropout, true), inputs => FastDropout.Apply(inputs[0], Dropout)),
        new("attention float32", "8x6x256x64, causal, dropout 0.2, against scaled_dot_product_attention", [Heads, Heads, Heads], ScalarType.Float32,
            inputs => functional.scaled_dot_product_attention(inputs[0], inputs[1], inputs[2], p: Dropout, is_casual: true),
            inputs => SafeOps.ScaledDotProductAttention(inputs[0], inputs[1], inputs[2], dropout: Dropout, isCausal: true)),
        new("attention bfloat16", "8x6x256x64, causal, dropout 0.2, against scaled_dot_product_attention", [Heads, Heads, Heads], ScalarType.BFloat16,
            inputs => functional.scaled_dot_product_attention(inputs[0], inputs[1], inputs[2], p: Dropout, is_casual: true),
            inputs => SafeOps.ScaledDotProductAttention(inputs[0], inputs[1], inputs[2], dropout: Dropout, isCausal: true)),
        new("rms norm float32", "2048x384, against its formula in single operations", [Rows, Features], ScalarType.Float32,
            inputs => inputs[0] * (inputs[0].square().mean([-1], keepdim: true) + Number.Of(1e-6)).rsqrt() * inputs[1],
            inputs => SafeOps.RmsNorm(inputs[0], inputs[1])),
        new("layer norm", "2048x384, against layer_norm", [Rows, Features, Features], ScalarType.Float32,
            inputs => functional.layer_norm(inputs[0], Features, inputs[1], inputs[2]), inputs => FusedOps.LayerNorm(inputs[0], inputs[1], inputs[2], 1e-5, isForProduct: false)),
        new("gelu and dropout", "2048x1536, bfloat16, p 0.2, against gelu and dropout", [Hidden], ScalarType.BFloat16,
            inputs => functional.dropout(functional.gelu(inputs[0]), Dropout, true), inputs => FusedOps.Activate(inputs[0], null, "gelu", Dropout)),
        new("residual branch", "2048x384, p 0.2, against dropout and sum", [Rows, Rows], ScalarType.Float32,
            inputs => inputs[0] + functional.dropout(inputs[1], Dropout, true), inputs => FusedOps.AddBranch(inputs[0], inputs[1], null, Dropout)),
        new("convolution", "32x128x16x16, 3x3, 128 outputs, bfloat16-mixed, channels last, against conv2d", [Pictures, Kernels], ScalarType.Float32,
            inputs => Mixed(inputs[0], x => functional.conv2d(x, inputs[1], padding: One)), inputs => Mixed(inputs[0], x => ConvolutionOps.Run(x, inputs[1], null, One, One, One, 1))),
    ];

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        foreach (var comparison in Comparisons)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            context.Report($"kernels: {comparison.Name}");
            yield return Measure(comparison, context);
        }
    }

    private static BenchmarkRow Measure(KernelComparison comparison, SuiteContext context)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = [.. comparison.Shapes.Select(shape => randn(shape).to_type(comparison.Type).to(WorkloadDevice.Current).requires_grad_())];
        var ratio = context.Compare(() => Step(comparison.Plain, inputs), () => Step(comparison.Nabla, inputs), minimumSeconds: 0.1);
        return context.SpeedUp(Name, comparison.Name, comparison.Description, ratio);
    }

    private static Tensor Mixed(Tensor pictures, Func<Tensor, Tensor> operation)
    {
        using var mixed = Autocast.Enter(WorkloadDevice.Current.type, ScalarType.BFloat16);
        return operation(ChannelsLast.Prefer(pictures));
    }

    private static void Step(Func<Tensor[], Tensor> operation, Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        operation(inputs).sum().backward();
        foreach (var input in inputs)
        {
            input.grad = null;
        }
    }

    /// <summary>Two ways to compute the same.</summary>
    private sealed record KernelComparison(
        string Name, string Description, long[][] Shapes, ScalarType Type, Func<Tensor[], Tensor> Plain, Func<Tensor[], Tensor> Nabla);
}
