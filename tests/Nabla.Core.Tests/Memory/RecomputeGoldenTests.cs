using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>Recomputation against PyTorch's checkpointing, and against the plain path bit by bit, for every way to cut the network.</summary>
public sealed class RecomputeGoldenTests
{
    public static IEnumerable<TheoryDataRow<GoldenCase>> Cases
        => Golden.Rows("training/autodiff").Where(row => row.Data.File == "checkpointing");

    [Theory, MemberData(nameof(Cases)), LeaksNoTensors]
    public void Gradients_AreThoseOfThePlainPathAndOfPyTorch(GoldenCase golden)
    {
        using var scope = NewDisposeScope();
        var depth = golden.Roles.Count(role => role.StartsWith('w'));
        Assert.True(depth > 0, $"{golden} has no weights.");
        var plain = Run(golden, depth, segments: 0);

        for (var segments = 1; segments <= depth; segments++)
        {
            var actual = Run(golden, depth, segments);
            Assert.Equal(plain.Loss, actual.Loss);
            for (var i = 0; i < plain.Gradients.Count; i++)
            {
                Assert.True(plain.Gradients[i].bytes.SequenceEqual(actual.Gradients[i].bytes), $"{golden}: gradient {i} differs with {segments} segments.");
            }
        }
        Assert.Equal(golden.Json.GetProperty("loss").GetDouble(), plain.Loss, 1e-10);
        string[] roles = ["x", .. Enumerable.Range(0, depth).Select(i => $"w{i}")];
        for (var i = 0; i < roles.Length; i++)
        {
            TensorAssert.Close(golden.Tensor($"grad.{roles[i]}.f64"), plain.Gradients[i], 1e-10);
        }
    }

    private static (double Loss, IReadOnlyList<Tensor> Gradients) Run(GoldenCase golden, int depth, int segments)
    {
        var x = golden.Tensor("x").to(ScalarType.Float64).requires_grad_(true);
        Tensor[] weights = [.. Enumerable.Range(0, depth).Select(i => golden.Tensor($"w{i}").to(ScalarType.Float64).requires_grad_(true))];
        var size = segments == 0 ? depth : (depth + segments - 1) / segments;
        var h = x;
        for (var start = 0; start < depth; start += size)
        {
            var part = weights[start..Math.Min(depth, start + size)];
            Tensor Segment(Tensor y) => part.Aggregate(y, (state, w) => state + state.mm(w.t()).tanh());
            h = segments == 0 ? Segment(h) : Recompute.Run(Segment, h, part);
        }
        var loss = (h * h).sum();
        CallbackGuard.Backward(loss);
        return (loss.item<double>(), [x.grad!, .. weights.Select(weight => weight.grad!)]);
    }
}
