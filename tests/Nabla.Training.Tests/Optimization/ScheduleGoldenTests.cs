using System.Text.Json;

namespace Nabla.Training.Tests;

/// <summary>Schedules against torch.optim.lr_scheduler and transformers, translated option by option.</summary>
public sealed class ScheduleGoldenTests
{
    private const string Area = "training/schedules";
    private const double Tolerance = 1e-12;

    public static IEnumerable<TheoryDataRow<GoldenCase>> Cases() => Golden.Rows(Area);

    [Theory, MemberData(nameof(Cases))]
    public void Rates_OfReference_Match(GoldenCase golden)
    {
        if (golden.Json.TryGetProperty("schedule", out _))
        {
            Follow(golden);
        }
        else if (golden.Json.TryGetProperty("metric", out _))
        {
            Plateau(golden);
        }
        else if (golden.Json.TryGetProperty("difference", out _))
        {
            Resume(golden);
        }
        else
        {
            Assert.Skip($"{golden} is of a kind that is not known here");
        }
    }

    private static void Follow(GoldenCase golden)
    {
        foreach (var (group, rates) in golden.Json.GetProperty("lr").EnumerateArray().Index())
        {
            var (schedule, peak) = Build(golden, group);
            foreach (var (step, rate) in rates.EnumerateArray().Select(GoldenCase.Number).Index())
            {
                Assert.Equal(rate, schedule.Factor(step) * peak, Tolerance * Math.Max(rate, peak));
            }
            if (golden.Json.TryGetProperty("momentum", out var momenta))
            {
                Assert.All(momenta[group].EnumerateArray().Index(), momentum => Assert.Equal(momentum.Item.GetDouble(), schedule.Momentum(momentum.Index)!.Value, Tolerance));
            }
        }
    }

    private static void Resume(GoldenCase golden)
    {
        var original = Golden.Cases(Area).Single(other => other.Name == golden.Name && other.Path == Path.Combine(Path.GetDirectoryName(golden.Path)!, "schedules.json"));
        Assert.Equal(0, golden.Json.GetProperty("difference").GetDouble());
        var (first, second) = (Build(original, 0).Schedule, Build(original, 0).Schedule);
        _ = Enumerable.Range(0, 37).Sum(step => first.Factor(step));
        second.LoadState(first.SaveState());
        Assert.All(Enumerable.Range(37, 100), step => Assert.Equal(first.Factor(step), second.Factor(step)));
    }

    private static void Plateau(GoldenCase golden)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(golden.Path));
        var values = document.RootElement.GetProperty("metrics").GetProperty(golden.Text("metric")!).EnumerateArray().Select(GoldenCase.Number).ToArray();
        var options = golden.Options;
        foreach (var (group, rates) in golden.Json.GetProperty("lr").EnumerateArray().Index())
        {
            var peak = golden.Json.GetProperty("base_lr")[group].GetDouble();
            var lowest = options.Get("min_lr") is { } bound ? bound.ValueKind == JsonValueKind.Array ? bound[group].GetDouble() : bound.GetDouble() : 0;
            Schedule Make() => ScheduleFactory.Create(new()
            {
                Name = "plateau",
                Patience = (int)options.Integer("patience", 10),
                Gamma = options.Number("factor", 0.1),
                Goal = options.Text("mode", "min"),
                Threshold = options.Number("threshold", 1e-4),
                ThresholdIsAbsolute = options.Text("threshold_mode", "rel") == "abs",
                Cooldown = (int)options.Integer("cooldown", 0),
                MinimumDrop = options.Number("eps", 1e-8) / peak,
                FinalFraction = lowest / peak,
            }, 1000, 10);
            var schedule = Make();
            foreach (var (k, value) in values.Index())
            {
                if (k == values.Length / 2)
                {
                    var resumed = Make();
                    resumed.LoadState(schedule.SaveState());
                    schedule = resumed;
                }
                schedule.OnEvaluated(value);
                Assert.Equal(rates[k].GetDouble(), schedule.Factor(k) * peak, Tolerance * peak);
                if (group == 0)
                {
                    Assert.Equal(golden.Json.GetProperty("bad")[k].GetInt32(), ((PlateauSchedule)schedule).BadEvaluations);
                    Assert.Equal(golden.Json.GetProperty("cooldown")[k].GetInt32(), ((PlateauSchedule)schedule).CooldownLeft);
                }
            }
            Assert.Equal(GoldenCase.Number(golden.Json.GetProperty("best")), ((PlateauSchedule)schedule).Best);
        }
    }

    /// <summary>Our schedule and its peak rate.</summary>
    private static (Schedule Schedule, double Peak) Build(GoldenCase golden, int group)
    {
        var rate = golden.Json.GetProperty("base_lr")[group].GetDouble();
        var (ours, peak) = Translate(golden.Text("schedule")!, golden.Options, group, rate);
        return (ScheduleFactory.Create(ours, 200, stepsPerEpoch: 1), peak);
    }

    private static (ScheduleOptions Ours, double Peak) Translate(string name, JsonElement options, int group, double rate)
    {
        double PerGroup(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value[group].GetDouble() : value.GetDouble();
        ScheduleOptions[] Parts() => [.. options.GetProperty("schedulers").EnumerateArray().Select(part => Translate(part[0].GetString()!, part[1], group, rate).Ours)];
        var warmup = options.Integer("num_warmup_steps", 0);
        long? steps = options.Get("num_training_steps") is { } training ? training.GetInt64() : null;
        return name switch
        {
            "StepLR" => (new() { Name = "step", StepEpochs = (int)options.Integer("step_size", 0), Gamma = options.Number("gamma", 0.1) }, rate),
            "MultiStepLR" => (new() { Name = "multi-step", Milestones = [.. options.GetProperty("milestones").EnumerateArray().Select(epoch => epoch.GetInt32())], Gamma = options.Number("gamma", 0.1) }, rate),
            "ExponentialLR" => (new() { Name = "exponential", Gamma = options.Number("gamma", 0) }, rate),
            "MultiplicativeLR" => (new() { Name = "exponential", Gamma = options.Number("factor", 0) }, rate),
            "ConstantLR" => (new() { WarmupSteps = options.Integer("total_iters", 5), WarmupStart = options.Number("factor", 1.0 / 3), WarmupShape = "flat" }, rate),
            "LinearLR" => (new() { Name = "linear", Steps = options.Integer("total_iters", 5), InitialFraction = options.Number("start_factor", 1.0 / 3), FinalFraction = options.Number("end_factor", 1) }, rate),
            "PolynomialLR" => (new() { Name = "polynomial", Steps = options.Integer("total_iters", 5), Power = options.Number("power", 1) }, rate),
            "LambdaLR" when options.Text("lambda", "") == "inverse-square-root" => (new() { Name = "inverse-sqrt", Timescale = 1 }, rate),
            "CosineAnnealingLR" => (new() { Name = "cosine", Steps = options.Integer("T_max", 0), FinalFraction = options.Number("eta_min", 0) / rate, AfterEnd = "continue" }, rate),
            "CosineAnnealingWarmRestarts" => (new() { Name = "cosine-restarts", CycleSteps = options.Integer("T_0", 0), CycleFactor = options.Number("T_mult", 1), FinalFraction = options.Number("eta_min", 0) / rate }, rate),
            "OneCycleLR" => OneCycle(options, PerGroup(options.GetProperty("max_lr"))),
            "CyclicLR" => Cyclic(options),
            "SequentialLR" => (new() { Name = "sequential", Parts = Parts(), PartStarts = [.. options.GetProperty("milestones").EnumerateArray().Select(start => start.GetInt64())] }, rate),
            "ChainedScheduler" => (new() { Name = "chained", Parts = Parts() }, rate),
            "get_constant_schedule_with_warmup" => (new() { WarmupSteps = warmup }, rate),
            "get_linear_schedule_with_warmup" => (new() { Name = "linear", WarmupSteps = warmup, Steps = steps }, rate),
            "get_cosine_schedule_with_warmup" => (new() { Name = "cosine", WarmupSteps = warmup, Steps = steps, Cycles = options.Number("num_cycles", 0.5), AfterEnd = "continue" }, rate),
            "get_cosine_with_min_lr_schedule_with_warmup" => (new() { Name = "cosine", WarmupSteps = warmup, Steps = steps, FinalFraction = options.Number("min_lr_rate", 0), AfterEnd = "continue" }, rate),
            "get_cosine_with_hard_restarts_schedule_with_warmup" => (new() { Name = "cosine-restarts", WarmupSteps = warmup, Steps = steps, Cycles = options.Number("num_cycles", 1) }, rate),
            "get_polynomial_decay_schedule_with_warmup" => (new() { Name = "polynomial", WarmupSteps = warmup, Steps = steps, FinalFraction = options.Number("lr_end", 1e-7) / rate, Power = options.Number("power", 1) }, rate),
            "get_inverse_sqrt_schedule" => (new() { Name = "inverse-sqrt", WarmupSteps = warmup, Timescale = options.Get("timescale") is { } timescale ? timescale.GetInt64() : null }, rate),
            "get_wsd_schedule" => (StableDecay(options, warmup, steps), rate),
            _ => Skipped(name, options),
        };
    }

    private static (ScheduleOptions, double) Skipped(string name, JsonElement options)
    {
        Assert.Skip($"{name} with {options} has no counterpart here");
        throw new InvalidOperationException();
    }

    private static (ScheduleOptions, double) OneCycle(JsonElement options, double peak)
    {
        var initial = 1 / options.Number("div_factor", 25);
        return (new()
        {
            Name = "one-cycle",
            Steps = options.Integer("total_steps", options.Integer("epochs", 0) * options.Integer("steps_per_epoch", 0)),
            InitialFraction = initial,
            FinalFraction = initial / options.Number("final_div_factor", 1e4),
            WarmupFraction = options.Number("pct_start", 0.3),
            Annealing = options.Text("anneal_strategy", "cos") == "cos" ? "cosine" : "linear",
            ThreePhases = options.Boolean("three_phase", false),
            LowMomentum = options.Number("base_momentum", 0.85),
            HighMomentum = options.Number("max_momentum", 0.95),
        }, peak);
    }

    private static (ScheduleOptions, double) Cyclic(JsonElement options)
    {
        var (up, peak) = (options.Number("step_size_up", 2000), options.Number("max_lr", 0));
        var length = up + options.Number("step_size_down", up);
        return (new()
        {
            Name = "cyclic",
            InitialFraction = options.Number("base_lr", 0) / peak,
            CycleSteps = (long)length,
            CycleUpFraction = up / length,
            CycleShape = options.Text("mode", "triangular") switch { "triangular2" => "halving", "exp_range" => "exponential", _ => "triangular" },
            Gamma = options.Number("gamma", 1),
        }, peak);
    }

    private static ScheduleOptions StableDecay(JsonElement options, long warmup, long? steps)
    {
        var decay = options.Integer("num_decay_steps", 0);
        var total = steps ?? warmup + options.Integer("num_stable_steps", 0) + decay;
        return new()
        {
            Name = "warmup-stable-decay",
            Steps = total,
            WarmupSteps = warmup,
            WarmupStart = options.Number("min_lr_ratio", 0),
            WarmupShape = options.Text("warmup_type", "linear"),
            FinalFraction = options.Number("min_lr_ratio", 0),
            DecayFraction = (double)decay / total,
            Annealing = options.Text("decay_type", "cosine"),
        };
    }
}
