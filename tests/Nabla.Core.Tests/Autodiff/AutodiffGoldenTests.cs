using System.Text.Json;
using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>Derivatives of known functions against torch, for every case in the golden folders; checkpointing has a test beside <see cref="Recompute"/>.</summary>
public sealed class AutodiffGoldenTests
{
    public static IEnumerable<TheoryDataRow<GoldenCase>> Functions => Golden.Rows("training/autodiff").Where(row => row.Data.File == "functions");

    public static IEnumerable<TheoryDataRow<GoldenCase>> Traps => Golden.Rows("training/autodiff").Where(row => row.Data.File == "traps");

    public static IEnumerable<TheoryDataRow<GoldenCase>> Networks => Golden.Rows("training/autodiff").Where(row => row.Data.File == "double-backward");

    [Fact]
    public void Cases_OfAnyFile_HaveATest()
        => Assert.Empty(Golden.Cases("training/autodiff").Select(golden => golden.File).Distinct().Except(["functions", "traps", "double-backward", "checkpointing"]));

    [Theory, MemberData(nameof(Functions), DisableDiscoveryEnumeration = true), LeaksNoTensors]
    public void Function_AtGivenPoint_HasReferenceDerivatives(GoldenCase golden)
    {
        var text = golden.Text("function")!;
        var isScalar = golden.Has("hessian.f64");
        Assert.SkipUnless((isScalar ? AutodiffFunctions.Scalar : AutodiffFunctions.Vector).TryGetValue(text, out var function), $"function '{text}' is not known");
        foreach (var type in GoldenComparison.Types)
        {
            using var scope = NewDisposeScope();
            var (x, v) = (golden.Tensor("x").to(type), golden.Tensor("v").to(type));
            if (isScalar)
            {
                var (value, gradient) = Differentiation.Gradient(function!, x);
                GoldenComparison.Compare(golden, "value", value);
                GoldenComparison.Compare(golden, "gradient", gradient);
                GoldenComparison.Compare(golden, "hessian", Differentiation.Hessian(function!, x));
                GoldenComparison.Compare(golden, "hessian-vector", Differentiation.HessianVectorProduct(function!, x, v));
            }
            else
            {
                GoldenComparison.Compare(golden, "value", function!(x));
                GoldenComparison.Compare(golden, "jacobian", Differentiation.Jacobian(function!, x));
                GoldenComparison.Compare(golden, "jacobian-vector", Differentiation.JacobianVectorProduct(function!, x, v));
                GoldenComparison.Compare(golden, "vector-jacobian", Differentiation.VectorJacobianProduct(function!, x, golden.Tensor("u").to(type)));
            }
        }
    }

    [Theory, MemberData(nameof(Traps), DisableDiscoveryEnumeration = true), LeaksNoTensors]
    public void Function_AtATrap_GivesWhatTorchGives(GoldenCase golden)
    {
        var text = golden.Text("function")!;
        Assert.SkipUnless(AutodiffFunctions.Traps.TryGetValue(text, out var function), $"function '{text}' is not known");
        using var scope = NewDisposeScope();
        var (value, gradient) = Differentiation.Gradient(function!, torch.tensor(Numbers(golden.Json.GetProperty("x")), ScalarType.Float64));
        TensorAssert.Close(torch.tensor(GoldenCase.Number(golden.Json.GetProperty("value")), ScalarType.Float64), value, 1e-10, 1e-10, "value");
        TensorAssert.Close(torch.tensor(Numbers(golden.Json.GetProperty("gradient")), ScalarType.Float64), gradient, 1e-10, 1e-10, "gradient");
    }

    [Theory, MemberData(nameof(Networks), DisableDiscoveryEnumeration = true), LeaksNoTensors]
    public void Network_WithGradientPenalty_HasReferenceGradients(GoldenCase golden)
    {
        Assert.SkipUnless(AutodiffFunctions.Activations.TryGetValue(golden.Name, out var activation), $"activation '{golden.Name}' is not known");
        foreach (var type in GoldenComparison.Types)
        {
            using var scope = NewDisposeScope();
            var (x, w1, b1, w2) = (Leaf("x"), Leaf("w1"), Leaf("b1"), Leaf("w2"));
            var scores = activation!(nn.functional.linear(x, w1, b1)).mv(w2); // [batch]
            var dx = SafeAutograd.Gradients([scores.sum()], [x], createGraph: true)[0]!; // [batch, features]
            var penalty = (dx.norm(1) - 1).square().mean();
            GoldenComparison.Compare(golden, "dx", dx.detach());
            GoldenComparison.Compare(golden, "penalty", penalty.detach());
            var gradients = SafeAutograd.Gradients([penalty], [w1, b1, w2]); // relu leaves the bias out
            foreach (var (name, gradient, source) in ((string, Tensor?, Tensor)[])[("w1", gradients[0], w1), ("b1", gradients[1], b1), ("w2", gradients[2], w2)])
            {
                GoldenComparison.Compare(golden, "grad." + name, gradient ?? torch.zeros_like(source).detach());
            }

            Tensor Leaf(string name) => golden.Tensor(name).to(type).detach().requires_grad_();
        }
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(GoldenCase.Number)];
}
