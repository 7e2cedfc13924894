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
        double Measure(Device device, WorkKind kind)
        {
            measurements++;
            return kind == WorkKind.Recurrence ? 1.1 : 2.5;
        }
        var first = PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, Measure);
        var second = PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, Measure);
        Assert.Equal(1, measurements); // only the kind that is needed
        for (var run = 0; run < 2; run++)
        {
            Assert.Equal("float32", PrecisionPolicy.Resolve("auto", CPU, WorkKind.Recurrence, _folder, Measure).Name); // decided for each kind of work
            Assert.Equal("bfloat16-mixed", PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, Measure).Name);
            Assert.Equal(2, measurements);
        }
        Assert.Equal("bfloat16-mixed", first.Name);
        Assert.Equal("bfloat16-mixed", second.Name);
        Assert.Equal(ScalarType.BFloat16, second.Type);
        Assert.Contains("2.5 times", second.Reason);

        foreach (var file in Directory.GetFiles(_folder))
        {
            File.WriteAllText(file, "half a fi"); // a damaged file is measured anew
        }
        Assert.Equal("float32", PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, (_, _) => 1.2).Name);
        Assert.Equal("float32", PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, Measure).Name);
        var cache = Assert.Single(Directory.GetFiles(_folder));
        var other = File.ReadAllText(cache).Replace($"measurement {PrecisionBenchmark.Version}", $"measurement {PrecisionBenchmark.Version - 1}", StringComparison.Ordinal);
        Assert.NotEqual(other, File.ReadAllText(cache));
        File.WriteAllText(cache, other); // measured in another way
        Assert.Equal("bfloat16-mixed", PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, Measure).Name);
    }

    [Fact]
    public void Auto_OnABusyMachine_MeasuresAgainNextTime()
    {
        Assert.SkipWhen(Autocast.UnavailableReason is not null, "autocast is not available here");
        var busy = PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, (_, _) => 0.6, () => true);
        var calm = PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, (_, _) => 3, () => false);
        var known = PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, _folder, (_, _) => 0.6, () => true);

        Assert.Equal(("float32", "bfloat16-mixed", "bfloat16-mixed"), (busy.Name, calm.Name, known.Name));
        Assert.Contains("the next run measures again", busy.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_OfNamedPrecision_DoesNotMeasure()
    {
        static double Never(Device device, WorkKind kind) => throw new InvalidOperationException("must not measure");
        Assert.Equal("float32", PrecisionPolicy.Resolve("float32", CPU, WorkKind.Products, _folder, Never).Name);
        var half = PrecisionPolicy.Resolve("float16-mixed", CPU, WorkKind.Products, _folder, Never);
        Assert.Equal(Autocast.IsAvailable, half.NeedsGradientScaler);
        var error = Assert.Throws<OptionsException>(() => PrecisionPolicy.Resolve("bfloat16", CPU, WorkKind.Products, _folder, Never));
        Assert.Contains("bfloat16-mixed", error.Message);
    }

    [Fact]
    public void Resolve_WithUnwritableCache_StillDecides()
    {
        Assert.SkipUnless(Autocast.IsAvailable && Environment.GetEnvironmentVariable(PrecisionPolicy.Variable) is null or "", "needs autocast, and NABLA_PRECISION not set");
        var file = Path.Combine(_folder, "not-a-folder");
        File.WriteAllText(file, "");
        var choice = PrecisionPolicy.Resolve("auto", CPU, WorkKind.Products, file, (_, _) => 4);
        Assert.Equal("bfloat16-mixed", choice.Name);
        Assert.Contains("cannot be written", choice.Reason);
    }

    [Fact]
    public void SpeedUp_OnThisMachine_AgreesWithItsFeatures()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        foreach (var kind in WorkKinds.All)
        {
            Assert.InRange(PrecisionBenchmark.SpeedUp(CPU, kind), 0.005, 200);
        }
        var ratio = PrecisionBenchmark.SpeedUp(CPU, WorkKind.Products);
        Assert.True(!ProcessorFeatures.Current.AmxBf16 || ratio > 1, $"AMX multiplies bfloat16 in hardware, yet the ratio is {ratio}");
    }

    [Fact]
    public void WorkKinds_OfModules_AreFoundByTheirParts()
    {
        using var scope = NewDisposeScope();
        using var products = nn.Sequential(nn.Linear(2, 2), nn.Conv1d(1, 1, 1));
        using var convolutions = nn.Sequential(nn.Linear(2, 2), nn.Conv2d(1, 1, 1));
        using var recurrence = nn.LSTM(2, 2);
        using var gated = nn.GRU(2, 2);
        Assert.Equal(WorkKind.Products, WorkKinds.Of(products));
        Assert.Equal(WorkKind.Convolutions, WorkKinds.Of(convolutions));
        Assert.Equal(WorkKind.Recurrence, WorkKinds.Of(recurrence));
        Assert.Equal(WorkKind.OtherRecurrence, WorkKinds.Of(gated));
    }
}
