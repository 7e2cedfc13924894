namespace Nabla.Benchmarks.Tests;

public sealed class MachineTests
{
    [Theory]
    [InlineData(false, false, "avx2")]
    [InlineData(true, false, "bf16")]
    [InlineData(false, true, "bf16")]
    [InlineData(true, true, "bf16")]
    public void Column_IsThatOfTheProcessorsBFloat16Units(bool vectors, bool tiles, string expected)
        => Assert.Equal(expected, MachineColumn.Of(ReportExamples.Processor with { Avx512Bf16 = vectors, AmxBf16 = tiles }).Key);

    [Fact]
    public void Probe_FindsFinitePositiveRates()
    {
        var limits = MachineProbe.Measure();

        Assert.Equal(1, limits.Threads);
        Assert.All([limits.Float32MatrixRate, limits.Float32VectorRate, limits.BFloat16MatrixRate, limits.TriadBandwidth], rate => Assert.InRange(rate, 1e6, 1e15));
    }

    [Fact]
    public void Peak_IsThatOfThePrecision()
    {
        var limits = ReportExamples.Limits;

        Assert.Equal(80e9, limits.PeakOf("float32"));
        Assert.Equal(500e9, limits.PeakOf("bfloat16-mixed"));
        Assert.Equal(limits.Float32VectorRate, (limits with { Float32MatrixRate = 1 }).Float32Peak);
    }

    [Fact]
    public void PeakMemory_IsAtLeastWhatIsHeldNow() => Assert.True(ResidentMemory.Peak() >= Environment.WorkingSet / 2);
}
