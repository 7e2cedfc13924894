using System.Diagnostics;

namespace Nabla.Training.Tests;

/// <summary>Steps of optimisers side by side in one process: ratios, because the machine is shared.</summary>
public sealed class OptimizerSpeedTests
{
    private const string Direct = """
        def adamw(parameters: List[Tensor], gradients: List[Tensor], first: List[Tensor], second: List[Tensor], steps: List[Tensor]) -> Tensor:
            torch._fused_adamw_(parameters, gradients, first, second, [], steps, lr=1e-3, beta1=0.9, beta2=0.999, weight_decay=0.01, eps=1e-8, amsgrad=False, maximize=False)
            return steps[0]

        """;

    [Fact, Trait("Needs", "Minutes")]
    public void AdamW_AgainstDirectFusedCall()
    {
        var threads = get_num_threads();
        set_num_threads(1);
        using var scope = NewDisposeScope();
        foreach (var size in new[] { 64, 128, 256 })
        {
            var ours = Enumerable.Range(0, 100).Select(i => new NamedParameter($"p{i}", randn(size, size).AsOwnedParameter())).ToArray();
            foreach (var p in ours)
            {
                p.Value.grad = randn(size, size);
            }
            using var optimizer = OptimizerFactory.Create(new() { Name = "adamw", WeightDecay = 0.01 }, ours);
            var unit = jit.compile(Direct);
            using var noGradients = no_grad();
            Tensor[] Make() => [.. Enumerable.Range(0, 100).Select(_ => randn(size, size))];
            Tensor[] p1 = Make(), g = Make(), m = [.. Make().Select(x => x.zero_())], v = [.. Make().Select(x => x.zero_())], steps = [.. Enumerable.Range(0, 100).Select(_ => tensor(1f))];
            (double, double) Pair()
            {
                var watch = Stopwatch.StartNew();
                for (var i = 0; i < 10; i++)
                {
                    unit.invoke<Tensor>("adamw", p1, g, m, v, steps).Dispose();
                }
                var direct = watch.Elapsed.TotalMilliseconds / 10;
                watch.Restart();
                for (var i = 0; i < 10; i++)
                {
                    optimizer.Step();
                }
                return (direct, watch.Elapsed.TotalMilliseconds / 10);
            }
            _ = Pair();
            var pairs = Enumerable.Range(0, 15).Select(_ => Pair()).ToArray();
            var ratio = pairs.Select(pair => pair.Item2 / pair.Item1).Order().ElementAt(7);
            Console.WriteLine($"adamw {size}: direct {pairs.Min(p => p.Item1):F3} ms, ours {pairs.Min(p => p.Item2):F3} ms, median ratio {ratio:F3}");
        }
        set_num_threads(threads);
    }
}
