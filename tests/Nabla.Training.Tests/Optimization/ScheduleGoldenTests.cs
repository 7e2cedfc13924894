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
            var (schedule, peak, last) = Build(golden, group);
            var held = schedule.Factor(last);
            foreach (var (step, rate) in rates.EnumerateArray().Select(GoldenCase.Number).Index())
            {
                if (step <= last)
                {
                    Assert.Equal(rate, schedule.Factor(step) * peak, Tolerance * Math.Max(rate, peak));
                }
                else
                {
                    Assert.Equal(held, schedule.Factor(step)); // ours holds its last rate where torch's rises again
                }
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

    /// <summary>Our schedule, its peak rate, and the last step at which both must agree (torch's cosines rise again after their end).</summary>
    private static (Schedule Schedule, double Peak, long Last) Build(GoldenCase golden, int group)
    {
        var (options, rate) = (golden.Options, golden.Json.GetProperty("base_lr")[group].GetDouble());
        (Schedule, double, long) Make(ScheduleOptions ours, long total, double? peak = null, long? last = null)
            => (ScheduleFactory.Create(ours, total, stepsPerEpoch: 1), peak ?? rate, last ?? long.MaxValue);
        double PerGroup(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value[group].GetDouble() : value.GetDouble();
        var (warmup, total) = (options.Integer("num_warmup_steps", 0), options.Integer("num_training_steps", 1));
        switch (golden.Text("schedule"))
        {
            case "StepLR":
                return Make(new() { Name = "step", StepEpochs = (int)options.Integer("step_size", 0), Gamma = options.Number("gamma", 0.1) }, 200);
            case "MultiStepLR":
                return Make(new() { Name = "multi-step", Milestones = [.. options.GetProperty("milestones").EnumerateArray().Select(epoch => epoch.GetInt32())], Gamma = options.Number("gamma", 0.1) }, 200);
            case "ExponentialLR":
                return Make(new() { Name = "exponential", Gamma = options.Number("gamma", 0) }, 200);
            case "MultiplicativeLR":
                return Make(new() { Name = "exponential", Gamma = options.Number("factor", 0) }, 200);
            case "CosineAnnealingLR":
                return Make(new() { Name = "cosine", FinalFraction = options.Number("eta_min", 0) / rate }, options.Integer("T_max", 0), last: options.Integer("T_max", 0));
            case "CosineAnnealingWarmRestarts":
                return Make(new() { Name = "cosine-restarts", CycleSteps = options.Integer("T_0", 0), CycleFactor = options.Number("T_mult", 1), FinalFraction = options.Number("eta_min", 0) / rate }, 200);
            case "OneCycleLR":
                var initial = 1 / options.Number("div_factor", 25);
                return Make(new()
                {
                    Name = "one-cycle",
                    InitialFraction = initial,
                    FinalFraction = initial / options.Number("final_div_factor", 1e4),
                    WarmupFraction = options.Number("pct_start", 0.3),
                    Annealing = options.Text("anneal_strategy", "cos") == "cos" ? "cosine" : "linear",
                    ThreePhases = options.Boolean("three_phase", false),
                    LowMomentum = options.Number("base_momentum", 0.85),
                    HighMomentum = options.Number("max_momentum", 0.95),
                }, options.Integer("total_steps", options.Integer("epochs", 0) * options.Integer("steps_per_epoch", 0)), PerGroup(options.GetProperty("max_lr")));
            case "CyclicLR":
                var up = options.Number("step_size_up", 2000);
                var length = up + options.Number("step_size_down", up);
                return Make(new()
                {
                    Name = "cyclic",
                    InitialFraction = options.Number("base_lr", 0) / options.Number("max_lr", 0),
                    CycleSteps = (long)length,
                    CycleUpFraction = up / length,
                    CycleShape = options.Text("mode", "triangular") switch { "triangular2" => "halving", "exp_range" => "exponential", _ => "triangular" },
                    Gamma = options.Number("gamma", 1),
                }, 200, options.Number("max_lr", 0));
            case "LinearLR" when options.Number("end_factor", 1) == 1:
                return Make(new() { WarmupSteps = options.Integer("total_iters", 5), WarmupStart = options.Number("start_factor", 1.0 / 3) }, 200);
            case "LinearLR" when options.Number("start_factor", 1.0 / 3) == 1:
                return Make(new() { Name = "linear", FinalFraction = options.Number("end_factor", 1) }, options.Integer("total_iters", 5));
            case "PolynomialLR":
                return Make(new() { Name = "polynomial", Power = options.Number("power", 1) }, options.Integer("total_iters", 5));
            case "LambdaLR" when options.Text("lambda", "") == "inverse-square-root":
                return Make(new() { Name = "inverse-sqrt", Timescale = 1 }, 200);
            case "SequentialLR" when IsWarmedCosine(options):
                var (linear, cosine) = (options.GetProperty("schedulers")[0][1], options.GetProperty("schedulers")[1][1]);
                return Make(new() { Name = "cosine", WarmupSteps = linear.Integer("total_iters", 5), WarmupStart = linear.Number("start_factor", 1.0 / 3), FinalFraction = cosine.Number("eta_min", 0) / rate }, linear.Integer("total_iters", 5) + cosine.Integer("T_max", 0));
            case "get_constant_schedule_with_warmup":
                return Make(new() { WarmupSteps = warmup }, 200);
            case "get_linear_schedule_with_warmup":
                return Make(new() { Name = "linear", WarmupSteps = warmup }, total);
            case "get_cosine_schedule_with_warmup":
                return Make(new() { Name = "cosine", WarmupSteps = warmup, Cycles = options.Number("num_cycles", 0.5) }, total, last: total);
            case "get_cosine_with_hard_restarts_schedule_with_warmup":
                return Make(new() { Name = "cosine-restarts", WarmupSteps = warmup, Cycles = options.Number("num_cycles", 1) }, total);
            case "get_cosine_with_min_lr_schedule_with_warmup":
                return Make(new() { Name = "cosine", WarmupSteps = warmup, FinalFraction = options.Number("min_lr_rate", 0) }, total, last: total);
            case "get_polynomial_decay_schedule_with_warmup":
                return Make(new() { Name = "polynomial", WarmupSteps = warmup, FinalFraction = options.Number("lr_end", 1e-7) / rate, Power = options.Number("power", 1) }, total);
            case "get_inverse_sqrt_schedule":
                return Make(new() { Name = "inverse-sqrt", WarmupSteps = warmup, Timescale = options.Get("timescale") is { } timescale ? timescale.GetInt64() : null }, 200);
            case "get_wsd_schedule" when options.Text("warmup_type", "linear") == "linear" && total > 1:
                return Make(new()
                {
                    Name = "warmup-stable-decay",
                    WarmupSteps = warmup,
                    WarmupStart = options.Number("min_lr_ratio", 0),
                    FinalFraction = options.Number("min_lr_ratio", 0),
                    DecayFraction = options.Number("num_decay_steps", 0) / total,
                    Annealing = options.Text("decay_type", "cosine"),
                }, total);
            default:
                Assert.Skip($"{golden.Text("schedule")} with {options} has no counterpart here");
                throw new InvalidOperationException();
        }
    }

    private static bool IsWarmedCosine(JsonElement options)
    {
        var (parts, milestones) = (options.GetProperty("schedulers"), options.GetProperty("milestones"));
        return parts.GetArrayLength() == 2 && parts[0][0].GetString() == "LinearLR" && parts[1][0].GetString() == "CosineAnnealingLR"
            && parts[0][1].Number("end_factor", 1) == 1 && milestones[0].GetInt64() == parts[0][1].Integer("total_iters", 5);
    }
}
