using Nabla.Testing;

namespace Nabla.Core.Tests;

[LeaksNoTensors]
public sealed class PrecisionPolicyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-precision-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Resolve_OfAuto_MeasuresOnceAndRemembers()
    {
        Assert.SkipUnless(Autocast.IsAvailable && Environment.GetEnvironmentVariable(PrecisionPolicy.Variable) is null or "", "needs autocast, and NABLA_PRECISION not set");
        var measurements = 0;
        double Measure(Device device)
        {
            measurements++;
            return 2.5;
        }
        var first = PrecisionPolicy.Resolve("auto", CPU, _folder, Measure);
        var second = PrecisionPolicy.Resolve("auto", CPU, _folder, Measure);
        Assert.Equal(1, measurements);
        Assert.Equal("bfloat16-mixed", first.Name);
        Assert.Equal("bfloat16-mixed", second.Name);
        Assert.Equal(ScalarType.BFloat16, second.Type);
        Assert.Contains("2.5 times", second.Reason);

        foreach (var file in Directory.GetFiles(_folder))
        {
            File.WriteAllText(file, "half a fi"); // a damaged file is measured anew
        }
        Assert.Equal("float32", PrecisionPolicy.Resolve("auto", CPU, _folder, _ => 1.2).Name);
        Assert.Equal("float32", PrecisionPolicy.Resolve("auto", CPU, _folder, Measure).Name);
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Resolve_OfNamedPrecision_DoesNotMeasure()
    {
        static double Never(Device device) => throw new InvalidOperationException("must not measure");
        Assert.Equal("float32", PrecisionPolicy.Resolve("float32", CPU, _folder, Never).Name);
        var half = PrecisionPolicy.Resolve("float16-mixed", CPU, _folder, Never);
        Assert.Equal(Autocast.IsAvailable, half.NeedsGradientScaler);
        var error = Assert.Throws<OptionsException>(() => PrecisionPolicy.Resolve("bfloat16", CPU, _folder, Never));
        Assert.Contains("bfloat16-mixed", error.Message);
    }

    [Fact]
    public void Resolve_WithUnwritableCache_StillDecides()
    {
        Assert.SkipUnless(Autocast.IsAvailable && Environment.GetEnvironmentVariable(PrecisionPolicy.Variable) is null or "", "needs autocast, and NABLA_PRECISION not set");
        var file = Path.Combine(_folder, "not-a-folder");
        File.WriteAllText(file, "");
        var choice = PrecisionPolicy.Resolve("auto", CPU, file, _ => 4);
        Assert.Equal("bfloat16-mixed", choice.Name);
        Assert.Contains("cannot be written", choice.Reason);
    }

    [Fact]
    public void SpeedUp_OnThisMachine_AgreesWithItsFeatures()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        var ratio = PrecisionBenchmark.SpeedUp(CPU);
        Assert.InRange(ratio, 0.005, 200);
        Assert.True(!ProcessorFeatures.Current.AmxBf16 || ratio > 1, $"AMX multiplies bfloat16 in hardware, yet the ratio is {ratio}");
    }
}
