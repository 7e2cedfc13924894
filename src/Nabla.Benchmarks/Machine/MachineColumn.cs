namespace Nabla.Benchmarks;

/// <summary>The column of the table of goals that a machine belongs to.</summary>
/// <param name="Key">Short name in JSON: bf16 or avx2.</param>
/// <param name="Title">Title in tables.</param>
internal sealed record MachineColumn(string Key, string Title)
{
    /// <summary>Processors with bfloat16 products (AVX-512 or AMX).</summary>
    public static MachineColumn BFloat16 { get; } = new("bf16", "machine with bf16");

    /// <summary>All others.</summary>
    public static MachineColumn Avx2 { get; } = new("avx2", "AVX2 only");

    /// <summary>The column of a processor.</summary>
    /// <param name="processor">The processor.</param>
    public static MachineColumn Of(ProcessorFeatures processor) => processor.AmxBf16 || processor.Avx512Bf16 ? BFloat16 : Avx2;
}
