using System.Text.Json;
using Nabla.Training;

namespace Nabla.Models.Tests;

/// <summary>Whole training runs from stored weights and batches: our models and optimisers against PyTorch's losses, step by step.</summary>
public sealed class GoldenCurveTests
{
    private const double MixedShare = 0.1, MixedMeanShare = 0.01; // of the first loss; docs/performance.md, "Precision"

    public static IEnumerable<TheoryDataRow<GoldenCase, bool>> Cases
        => Golden.Cases("training/curves").SelectMany(golden => new[] { true, false }.Select(isFused => new TheoryDataRow<GoldenCase, bool>(golden, isFused) { TestDisplayName = $"training/curves {golden} {(isFused ? "fused" : "plain")}" }));

    [Theory, MemberData(nameof(Cases))]
    public void Training_InFloat32_FollowsTheStoredLosses(GoldenCase golden, bool isFused)
    {
        var bounds = Numbers(golden.Json.GetProperty("tolerance_f32"));
        Run(golden, isFused, ScalarType.Float32, bounds, bounds[^1]);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Training_InFloat64_FollowsTheStoredLosses(GoldenCase golden, bool isFused)
        => Run(golden, isFused, ScalarType.Float64, [.. Numbers(golden.Json.GetProperty("tolerance_f32")).Select(_ => 1e-9)], 1e-9); // README, Tolerances: curves

    /// <summary>
    /// Products in bfloat16 (8 bits of mantissa), everything else in float32: single losses where training is unsteady may leave the curve
    /// of float32 by rounding, but the run must not drift away from it.
    /// </summary>
    [Theory, MemberData(nameof(Cases))]
    public void Training_InBfloat16Mixed_StaysNearTheStoredLosses(GoldenCase golden, bool isFused)
    {
        var first = GoldenCase.Number(golden.Json.GetProperty("loss").GetProperty("f64")[0]);
        Run(golden, isFused, ScalarType.Float32, [.. Numbers(golden.Json.GetProperty("tolerance_f32")).Select(bound => bound + (MixedShare * first))], lastBound: null, ScalarType.BFloat16);
    }

    private static void Run(GoldenCase golden, bool isFused, ScalarType type, double[] bounds, double? lastBound, ScalarType? productType = null)
    {
        using var scope = NewDisposeScope();
        using var path = FusedOperations.Use(isFused);
        using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(golden.Path));
        var (kind, options) = (document.RootElement.GetProperty("model").GetString()!, document.RootElement.GetProperty("options"));
        var problem = CurveProblem.Find(kind, GoldenTensors.Read(System.IO.Path.ChangeExtension(golden.Path, ".safetensors")), options);
        Assert.SkipWhen(problem is null, $"no model family stands for '{kind}' yet");
        using var model = problem!.Create();
        Load(model, problem);
        model.to(type);
        using var optimizer = Optimizer(options, model);
        var (rate, warmup) = (optimizer.LearningRate, options.Number("warmup", 0));
        var truth = Numbers(golden.Json.GetProperty("loss").GetProperty("f64"));
        Assert.Equal(document.RootElement.GetProperty("steps").GetInt32(), truth.Length);
        var norms = golden.Json.Get("gradient_norm_before_clipping") is { } stored ? Numbers(stored.GetProperty("f64")) : null;
        var sum = 0.0;
        for (var step = 0; step < truth.Length; step++)
        {
            using var inner = NewDisposeScope();
            var loss = Loss(step);
            sum += Math.Abs(loss.ToDouble() - truth[step]);
            Assert.True(Math.Abs(loss.ToDouble() - truth[step]) <= bounds[step], $"step {step}: loss {loss.ToDouble()}, stored {truth[step]}, tolerance {bounds[step]}");
            optimizer.ZeroGradients();
            loss.backward();
            if (options.Get("clip") is { } clip)
            {
                using var norm = Gradients.ClipNorm(model.parameters(), clip.GetDouble());
                Assert.True(norms is null || type == ScalarType.Float32 || Math.Abs(norm.ToDouble() - norms[step]) <= bounds[step], $"step {step}: gradient norm {norm.ToDouble()}, stored {norms?[step]}");
            }
            optimizer.LearningRate = warmup > 0 ? rate * Math.Min(1, (step + 1) / warmup) : rate;
            optimizer.Step();
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"mean distance of a loss: {sum / truth.Length / truth[0]:P3} of the first one");
        Assert.True(sum / truth.Length <= MixedMeanShare * truth[0], $"mean distance of a loss {sum / truth.Length}, first loss {truth[0]}");
        if (lastBound is { } bound)
        {
            Evaluate(model, problem, golden.Json.GetProperty("evaluation").GetProperty("f64"), type, bound);
        }

        Tensor Loss(int step)
        {
            using var cast = productType is { } half ? Autocast.Enter(DeviceType.CPU, half) : default;
            return problem.Loss(model, step, type);
        }
    }

    private static void Load(nn.Module model, CurveProblem problem)
    {
        using var ungraded = no_grad();
        var open = model.named_parameters().ToDictionary(named => named.name, named => named.parameter);
        foreach (var (key, value) in problem.Weights())
        {
            Assert.True(open.Remove(key, out var parameter), $"The model has no '{key}'; it has {string.Join(", ", model.state_dict().Keys)}.");
            Assert.Equal(value.shape, parameter.shape);
            parameter.copy_(value);
        }
        Assert.Empty(open.Keys);
    }

    private static Optimizer Optimizer(JsonElement options, nn.Module model)
    {
        var name = options.GetProperty("optimizer").GetString()!;
        Assert.SkipUnless(OptimizerFactory.Names.Contains(name.ToLowerInvariant()), $"optimiser {name} is not implemented");
        var numbers = options.GetProperty("options");
        var known = (string[])["lr", "weight_decay", "betas", "eps", "momentum", "nesterov"];
        var other = numbers.EnumerateObject().Where(option => !known.Contains(option.Name)).ToDictionary(option => option.Name, option => option.Value.ValueKind is JsonValueKind.True ? 1 : option.Value.GetDouble());
        var read = new OptimizerOptions
        {
            Name = name.ToLowerInvariant(),
            LearningRate = numbers.GetProperty("lr").GetDouble(),
            WeightDecay = numbers.Number("weight_decay", name == "AdamW" ? 0.01 : 0), // torch's defaults
            Betas = numbers.Get("betas") is { } betas ? Numbers(betas) : null,
            Epsilon = numbers.Get("eps")?.GetDouble(),
            Momentum = numbers.Number("momentum", 0),
            Nesterov = numbers.Boolean("nesterov", false),
            Extra = other.Count > 0 ? other : null,
        };
        ParameterGroup all = new() { Parameters = [.. model.named_parameters().Select(named => new NamedParameter(named.name, named.parameter))], WeightDecay = read.WeightDecay };
        return OptimizerFactory.Create(read, [all]);
    }

    private static void Evaluate(nn.Module model, CurveProblem problem, JsonElement expected, ScalarType type, double bound)
    {
        using var ungraded = no_grad();
        model.eval();
        foreach (var measure in expected.EnumerateObject())
        {
            if (measure.Name == "greedy_after_10_ids")
            {
                var stored = measure.Value.EnumerateArray().Select(id => id.GetInt64()).ToArray();
                Assert.Equal(stored, TextGenerator.Generate((LanguageModel)model, ((CharactersCurve)problem).Prompt(), new() { MaxTokens = stored.Length, Temperature = 0 }));
                continue;
            }
            using var scope = NewDisposeScope();
            var actual = problem.Measure(model, measure.Name, type);
            Assert.True(actual is not null, $"The measure '{measure.Name}' is not known.");
            Assert.True(Math.Abs(actual.Value - measure.Value.GetDouble()) <= bound, $"{measure.Name} is {actual}, stored {measure.Value}, tolerance {bound}");
        }
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(GoldenCase.Number)];
}
