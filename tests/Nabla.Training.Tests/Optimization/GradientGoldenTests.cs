namespace Nabla.Training.Tests;

/// <summary>Clipping, accumulation and weight averages against torch.</summary>
[LeaksNoTensors]
public sealed class GradientGoldenTests
{
    private const string Area = "training/optimizers";

    public static IEnumerable<TheoryDataRow<GoldenCase, bool>> Cases()
        => from golden in Golden.Cases(Area).Where(golden => golden.File is not ("trajectories" or "special" or "sam"))
           from isDouble in golden.Json.TryGetProperty("clip_value", out _) || golden.Json.TryGetProperty("lr", out _) ? new[] { false } : [true, false] // values are exact in f32
           select new TheoryDataRow<GoldenCase, bool>(golden, isDouble) { TestDisplayName = $"{golden} {(isDouble ? "f64" : "f32")}" };

    [Theory, MemberData(nameof(Cases))]
    public void Case_OfReference_Matches(GoldenCase golden, bool isDouble)
    {
        using var scope = NewDisposeScope();
        if (golden.Json.TryGetProperty("max_norm", out var maximum))
        {
            Norm(golden, maximum.GetDouble(), GoldenCase.Number(golden.Json.GetProperty("norm_type")), isDouble);
        }
        else if (golden.Json.TryGetProperty("clip_value", out var limit))
        {
            Value(golden, limit.GetDouble());
        }
        else if (golden.Json.TryGetProperty("micro_batches", out var sizes))
        {
            Accumulation(golden, [.. sizes.EnumerateArray().Select(size => size.GetInt64())], isDouble);
        }
        else if (golden.Json.TryGetProperty("decays", out _))
        {
            Average(golden, new() { Decay = golden.Json.GetProperty("decay").GetDouble(), Warmup = Warmup(golden.Text("warmup")) }, start: 0, isDouble);
        }
        else if (golden.Json.TryGetProperty("start_at_step", out var start))
        {
            var decay = golden.Json.Get("ema_decay");
            Average(golden, decay is { } value ? new() { Decay = value.GetDouble() } : new() { Warmup = WeightAverageWarmup.Mean }, start.GetInt32(), isDouble);
        }
        else if (golden.Json.TryGetProperty("num_batches_tracked", out var tracked))
        {
            Statistics(golden, tracked.GetInt64(), isDouble);
        }
        else if (golden.Json.TryGetProperty("lr", out var rates))
        {
            AveragingRates(golden, [.. rates.EnumerateArray().Select(rate => rate.GetDouble())]);
        }
        else
        {
            Assert.Skip($"cases such as {golden} ({golden.Text("function") ?? golden.Text("base") ?? golden.File}) are not implemented");
        }
    }

    private static WeightAverageWarmup Warmup(string? name) => name switch
    {
        null => WeightAverageWarmup.Constant,
        "rational" => WeightAverageWarmup.Rational,
        "exponential" => WeightAverageWarmup.Exponential,
        _ => throw new InvalidDataException($"unknown warm-up {name}"),
    };

    private static GoldenTensors Shared(GoldenCase golden) => GoldenTensors.Read(Path.ChangeExtension(golden.Path, ".safetensors"));

    /// <summary>Parameters with the gradients of a set; an index that is missing is an absent gradient.</summary>
    private static List<Parameter> ParametersOf(GoldenCase golden, ScalarType dtype)
    {
        var (file, set) = (Shared(golden), $"gradients.{golden.Text("set")}.");
        var last = file.Keys.Where(key => key.StartsWith(set, StringComparison.Ordinal)).Max(key => int.Parse(key[set.Length..]));
        return [.. Enumerable.Range(0, last + 1).Select(i =>
        {
            if (!file.Has(set + i))
            {
                return zeros(3, dtype).AsOwnedParameter();
            }
            var gradient = file.Tensor(set + i).to(dtype);
            var parameter = zeros_like(gradient).AsOwnedParameter();
            parameter.grad = gradient;
            return parameter;
        })];
    }

    private static void Free(IEnumerable<Parameter> parameters)
    {
        foreach (var parameter in parameters)
        {
            parameter.grad = null;
            parameter.Dispose();
        }
    }

    private static void Norm(GoldenCase golden, double maximum, double order, bool isDouble)
    {
        var parameters = ParametersOf(golden, isDouble ? ScalarType.Float64 : ScalarType.Float32);
        var suffix = isDouble ? "f64" : "f32";
        if (golden.Json.TryGetProperty("throws", out _))
        {
            Assert.Throws<ShapeException>(() => Gradients.ClipNorm(parameters, maximum, order));
            Free(parameters);
            return;
        }
        var isFinite = Gradients.FirstNonFinite(parameters.Select((parameter, i) => new NamedParameter($"p{i}", parameter))) is null;
        var norm = Gradients.ClipNorm(parameters, maximum, order).to(ScalarType.Float64).item<double>();
        var expected = GoldenCase.Number(golden.Json.GetProperty("total_norm").GetProperty(suffix));
        Assert.True(Close(expected, norm, isDouble ? 1e-12 : 1e-5), $"norm {norm}, expected {expected}");
        Assert.Equal(golden.Json.GetProperty("throws_if_nonfinite_" + suffix).GetBoolean(), !double.IsFinite(norm));
        Assert.Equal(golden.Text("set") is not ("inf-entry" or "nan-entry"), isFinite);
        foreach (var (i, parameter) in parameters.Index().Where(entry => entry.Item.grad is not null))
        {
            TensorAssert.Close(golden.Tensor($"{i}.{suffix}"), parameter.grad!, 0, isDouble ? 1e-12 : 1e-5, $"gradient {i}");
        }
        Free(parameters);
    }

    private static bool Close(double expected, double actual, double relative)
        => expected.Equals(actual) || Math.Abs(expected - actual) <= relative * Math.Abs(expected);

    private static void Value(GoldenCase golden, double limit)
    {
        var parameters = ParametersOf(golden, ScalarType.Float32);
        Gradients.ClipValue(parameters, limit);
        foreach (var (i, parameter) in parameters.Index().Where(entry => entry.Item.grad is not null))
        {
            TensorAssert.Equal(golden.Tensor($"{i}"), parameter.grad!, $"gradient {i}");
        }
        Free(parameters);
    }

    private static void Accumulation(GoldenCase golden, long[] sizes, bool isDouble)
    {
        var dtype = isDouble ? ScalarType.Float64 : ScalarType.Float32;
        var (inputs, targets) = (golden.Tensor("inputs").to(dtype), golden.Tensor("targets"));
        using var weight = golden.Tensor("weight").to(dtype).AsOwnedParameter();
        var (start, total) = (0L, 0L);
        foreach (var size in sizes)
        {
            var (x, y) = (inputs.narrow(0, start, size), targets.narrow(0, start, size).reshape(-1));
            var tokens = y.ne(-100).sum().item<long>();
            var mean = nn.functional.cross_entropy(nn.functional.linear(x, weight).reshape(-1, 5), y, ignore_index: -100);
            (tokens == 0 ? mean.nan_to_num(0) * 0 : mean * tokens).backward();
            (start, total) = (start + size, total + tokens);
        }
        Gradients.Multiply([weight], 1.0 / total);
        Assert.Equal(golden.Json.GetProperty("tokens").GetInt64(), total);
        TensorAssert.Close(golden.Tensor("gradient.token-weighted.f64"), weight.grad!, isDouble ? 1e-12 : 1e-5, isDouble ? 1e-12 : 1e-5);
        TensorAssert.Close(golden.Tensor("gradient.whole.f64"), weight.grad!, isDouble ? 1e-12 : 1e-5, isDouble ? 1e-12 : 1e-5);
        weight.grad = null;
    }

    private static void Average(GoldenCase golden, WeightAverageOptions options, int start, bool isDouble)
    {
        var values = Shared(golden).Tensor("ema.parameters").to(isDouble ? ScalarType.Float64 : ScalarType.Float32);
        var expected = golden.Tensor("average.f64");
        using var model = nn.Linear(4, 1, hasBias: false, dtype: values.dtype);
        using var average = new WeightAverage(model, options);
        for (var step = 0; step < values.shape[0]; step++)
        {
            using (no_grad())
            {
                model.weight!.copy_(values[step].unsqueeze(0));
            }
            if (step >= start)
            {
                average.Update();
                TensorAssert.Close(expected[step - start], average.State["weight"][0], isDouble ? 1e-10 : 1e-5, isDouble ? 1e-10 : 1e-5, $"after update {step - start}");
            }
        }
    }

    private static void Statistics(GoldenCase golden, long tracked, bool isDouble)
    {
        var dtype = isDouble ? ScalarType.Float64 : ScalarType.Float32;
        using var linear = nn.Linear(4, 3, hasBias: false, dtype: dtype);
        using var norm = nn.BatchNorm1d(3, momentum: 0.1, dtype: dtype);
        using var model = nn.Sequential(("linear", linear), ("norm", norm));
        using (no_grad())
        {
            linear.weight!.copy_(golden.Tensor("weight"));
            norm.running_mean!.fill_(7);
        }
        model.eval();
        Assert.True(BatchNormStatistics.Exist(model));
        BatchNormStatistics.Update(model, Enumerable.Range(0, golden.Json.GetProperty("batches").GetInt32()), k => model.call(golden.Tensor($"batch.{k}").to(dtype)));
        Assert.False(model.training);
        Assert.Equal(0.1, norm.momentum);
        Assert.Equal(tracked, norm.num_batches_tracked!.to(ScalarType.Int64).item<long>());
        TensorAssert.Close(golden.Tensor("running_mean.f64"), norm.running_mean!, isDouble ? 1e-10 : 1e-5, isDouble ? 1e-10 : 1e-5);
        TensorAssert.Close(golden.Tensor("running_var.f64"), norm.running_var!, isDouble ? 1e-10 : 1e-5, isDouble ? 1e-10 : 1e-5);
    }

    /// <summary>The numbers stand in the case's sentence only.</summary>
    private static void AveragingRates(GoldenCase golden, double[] rates)
    {
        var numbers = System.Text.RegularExpressions.Regex.Match(golden.Text("base")!, @"ExponentialLR\(([\d.]+)\) for (\d+) steps from ([\d.]+), then SWALR\(swa_lr ([\d.]+), anneal_epochs (\d+)\)");
        Assert.True(numbers.Success, golden.Text("base"));
        double Number(int group) => double.Parse(numbers.Groups[group].Value, System.Globalization.CultureInfo.InvariantCulture);
        var schedule = new AveragingSchedule(ScheduleFactory.Create(new() { Name = "exponential", Gamma = Number(1) }, 100, 1), (long)Number(2), Number(4) / Number(3), (long)Number(5), golden.Name.Contains("cos", StringComparison.Ordinal));
        Assert.All(rates.Index(), rate => Assert.Equal(rate.Item, schedule.Factor(rate.Index) * Number(3), 1e-12));
        var resumed = new AveragingSchedule(ScheduleFactory.Create(new() { Name = "exponential", Gamma = Number(1) }, 100, 1), (long)Number(2), Number(4) / Number(3), (long)Number(5), golden.Name.Contains("cos", StringComparison.Ordinal));
        resumed.LoadState(schedule.SaveState());
        Assert.Equal(schedule.Factor(11), resumed.Factor(11));
    }
}
