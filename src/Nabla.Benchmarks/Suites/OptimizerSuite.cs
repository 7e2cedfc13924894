using Nabla.Training;

namespace Nabla.Benchmarks;

/// <summary>Suite <c>optimizer</c>: AdamW over 100 tensors of 128x128, against a direct fused call and against TorchSharp's own.</summary>
internal static class OptimizerSuite
{
    public const string Name = "optimizer";
    private const int Count = 100, Side = 128;
    private const string Sizes = "100 tensors of 128x128";

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        context.Report("optimizer: AdamW against a direct call");
        yield return Direct(context);
        context.Report("optimizer: AdamW against TorchSharp's");
        yield return Raw(context);
    }

    private static BenchmarkRow Direct(SuiteContext context)
    {
        using Setup nabla = new(), direct = new();
        using var ours = nabla.Optimizer();
        using var theirs = new DirectAdamW([.. direct.Parameters]);
        Tensor[] gradients = [.. direct.Parameters.Select(parameter => parameter.grad!)];
        var ratio = context.Compare(() => theirs.Step(gradients), ours.Step);
        foreach (var gradient in gradients)
        {
            gradient.Dispose();
        }
        return context.TimeRatio(Name, "AdamW direct", $"{Sizes}, against one direct _fused_adamw_ call with ready lists", ratio);
    }

    private static BenchmarkRow Raw(SuiteContext context)
    {
        using Setup nabla = new(), raw = new();
        using var ours = nabla.Optimizer();
        using var theirs = optim.AdamW(raw.Parameters, BaselineStep.LearningRate, weight_decay: BaselineStep.WeightDecay);
        var ratio = context.Compare(
            () =>
            {
                using var scope = NewDisposeScope();
                theirs.step();
            },
            ours.Step);
        return context.SpeedUp(Name, "AdamW raw", $"{Sizes}, against torch.optim.AdamW of TorchSharp", ratio);
    }

    /// <summary>Parameters with gradients that stay.</summary>
    private sealed class Setup : IDisposable
    {
        public Setup()
        {
            using var scope = NewDisposeScope();
            for (var i = 0; i < Count; i++)
            {
                var parameter = randn(Side, Side, device: WorkloadDevice.Current).AsOwnedParameter();
                parameter.grad = randn(Side, Side, device: WorkloadDevice.Current);
                Parameters.Add(parameter);
            }
        }

        public List<Parameter> Parameters { get; } = [];

        public Optimizer Optimizer()
            => OptimizerFactory.Create(StepRunnerStep.Options.Optimizer, Parameters.Select((parameter, index) => new NamedParameter($"p{index}", parameter)));

        public void Dispose()
        {
            foreach (var parameter in Parameters)
            {
                parameter.grad = null;
                parameter.Dispose();
            }
        }
    }
}
