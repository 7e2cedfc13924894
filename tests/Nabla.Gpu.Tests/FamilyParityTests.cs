using Nabla.Models.Tests;

namespace Nabla.Gpu.Tests;

/// <summary>Every model family gives on a GPU what it gives on the processor.</summary>
[Trait("Needs", "Gpu")]
public sealed class FamilyParityTests
{
    public static IEnumerable<TheoryDataRow<FamilyExample>> Examples => FamilyExamples.Rows;

    [Theory, MemberData(nameof(Examples))]
    public void Family_InFloat32_HasTheProcessorsOutputAndGradients(FamilyExample example)
    {
        new ComputePrecision(PrecisionPolicy.Float32, "").SetMatrixMode(Gpu.Require().type);
        using var scope = NewDisposeScope();
        var (expected, expectedGradients) = Run(example, CPU, ScalarType.Float32);
        var (actual, gradients) = Run(example, CUDA, ScalarType.Float32);

        TensorAssert.Close(expected, actual, 1e-4, 1e-4, "output");
        foreach (var (name, gradient) in expectedGradients)
        {
            var size = Math.Max(1, gradient.abs().max().ToDouble());
            TensorAssert.Close(gradient, gradients[name], 2e-4 * size, 1e-3, $"gradient of {name}");
        }
    }

    [Theory, MemberData(nameof(Examples))]
    public void Family_UnderAutocast_IsNearFloat32(FamilyExample example)
    {
        Gpu.Require();
        using var scope = NewDisposeScope();
        var (expected, _) = Run(example, CPU, ScalarType.Float32);
        foreach (var type in new[] { ScalarType.BFloat16, ScalarType.Float16 })
        {
            var (actual, gradients) = Run(example, CUDA, type);
            TensorAssert.Close(expected, actual, 0.06, 0.06, $"{type} against float32"); // bfloat16 has 8 bits: 0.4 % an operation
            Assert.All(gradients, gradient => TensorAssert.Finite(gradient.Value, gradient.Key));
        }
    }

    [Theory, MemberData(nameof(Examples))]
    public void Family_OnDeterministicKernels_GivesTheSameBitsTwice(FamilyExample example)
    {
        using var repeatable = DeterministicKernels.Use(Gpu.Require().type);
        using var scope = NewDisposeScope();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            var ((first, firstGradients), (second, secondGradients)) = (Run(example, CUDA, type), Run(example, CUDA, type));
            TensorAssert.Close(first, second, 0, 0, $"{type} output");
            Assert.All(firstGradients, gradient => TensorAssert.Close(gradient.Value, secondGradients[gradient.Key], 0, 0, gradient.Key));
        }
    }

    private static (Tensor Output, Dictionary<string, Tensor> Gradients) Run(FamilyExample example, Device device, ScalarType type)
    {
        using var model = example.Create();
        model.eval(); // dropout draws other numbers on another device
        model.to(device);
        var onProcessor = example.Batch(example.Inputs(8));
        var batch = onProcessor with { Inputs = onProcessor.Inputs.to(device), Categories = onProcessor.Categories?.to(device), Decoder = onProcessor.Decoder?.to(device) };
        Tensor output;
        using (type == ScalarType.Float32 ? default : Autocast.Enter(device.type, type))
        {
            output = model.call(batch).to_type(ScalarType.Float32);
        }
        output.square().mean().backward();
        return (output.detach().cpu(), model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.detach().cpu(), StringComparer.Ordinal));
    }
}
