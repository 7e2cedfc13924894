using Nabla.Core.Native;
using Nabla.Testing;

namespace Nabla.Core.Tests;

public sealed class RecomputeTests
{
    [Fact, LeaksNoTensors]
    public void Dropout_IsDrawnAgainWithTheSameBits_AndTheGeneratorGoesOnAsWithout()
    {
        using var scope = NewDisposeScope();
        var plain = Draw(recompute: false);
        var actual = Draw(recompute: true);

        Assert.True(plain.Output.bytes.SequenceEqual(actual.Output.bytes));
        Assert.True(plain.Gradient.bytes.SequenceEqual(actual.Gradient.bytes));
        Assert.Equal(plain.Next, actual.Next);
    }

    private static (Tensor Output, Tensor Gradient, float Next) Draw(bool recompute)
    {
        manual_seed(7);
        var x = randn(64, 32).requires_grad_(true);
        Tensor Part(Tensor y) => FastDropout.Apply(nn.functional.dropout(y.tanh(), 0.5), 0.3);
        var h = recompute ? Recompute.Run(Part, x, []) : Part(x);
        h = recompute ? Recompute.Run(Part, h, []) : Part(h);
        var output = FastDropout.Apply(h, 0.2);
        CallbackGuard.Backward(output.pow(2).sum());
        return (output.detach(), x.grad!, rand(1).item<float>());
    }

    [Fact, LeaksNoTensors]
    public void Autocast_HoldsInTheSecondRun()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var scope = NewDisposeScope();
        var plain = Run(false);
        var actual = Run(true);
        for (var i = 0; i < plain.Count; i++)
        {
            Assert.True(plain[i].bytes.SequenceEqual(actual[i].bytes), $"tensor {i}");
        }

        static IReadOnlyList<Tensor> Run(bool recompute)
        {
            manual_seed(3);
            var (x, w) = (randn(16, 32).requires_grad_(true), randn(32, 32).requires_grad_(true));
            Tensor Part(Tensor y) => nn.functional.linear(nn.functional.linear(y, w).tanh(), w);
            Tensor output;
            using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
            {
                output = recompute ? Recompute.Run(Part, x, [w]) : Part(x);
            }
            Assert.Equal(ScalarType.BFloat16, output.dtype);
            CallbackGuard.Backward(output.to(ScalarType.Float32).pow(2).mean());
            return [x.grad!, w.grad!];
        }
    }

    [Fact] // TorchSharp counts the wrapper of a gradient that is not there as alive
    public void SeveralInputsAndOutputs_KeepTheirGradients()
    {
        using var scope = NewDisposeScope();
        var plain = Run(false);
        var actual = Run(true);
        for (var i = 0; i < plain.Count; i++)
        {
            Assert.True(plain[i].bytes.SequenceEqual(actual[i].bytes), $"gradient {i}");
        }

        static IReadOnlyList<Tensor> Run(bool recompute)
        {
            manual_seed(1);
            var (a, b, w) = (randn(3, 4).requires_grad_(true), randn(3, 4).requires_grad_(true), randn(4).requires_grad_(true));
            var ids = tensor(new long[] { 2, 0 });
            IReadOnlyList<Tensor> Part(IReadOnlyList<Tensor> x) => [(x[0] * w + x[1]).index_select(0, x[2]), x[0].sin(), x[2] + 1];
            var outputs = recompute ? Recompute.Run(Part, [a, b, ids], [w]) : Part([a, b, ids]);
            Assert.False(outputs[2].requires_grad);
            CallbackGuard.Backward(outputs[0].pow(2).sum() + outputs[1].sum());
            return [a.grad!, b.grad!, w.grad!];
        }
    }

    [Fact, LeaksNoTensors]
    public void AnErrorInTheSecondRun_IsThrownAfterTheBackwardPass()
    {
        using var scope = NewDisposeScope();
        var x = randn(4).requires_grad_(true);
        var runs = 0;
        var output = Recompute.Run(y => ++runs == 1 ? y * 2 : throw new TrainingException("second run"), x, []);

        var error = Assert.Throws<TrainingException>(() => CallbackGuard.Backward(output.sum()));

        Assert.Equal("second run", error.Message);
        CallbackGuard.Backward((x * 2).sum()); // nothing of it is left
    }

    [Fact]
    public void AnErrorInOnePart_IsNotLostInTheNext()
    {
        using var scope = NewDisposeScope();
        var x = randn(4).requires_grad_(true);
        var sound = Recompute.Run(y => y * 3, x, []);
        var runs = 0;
        var failing = Recompute.Run(y => ++runs == 1 ? y * 2 : throw new TrainingException("second run"), x, []); // made last, passed backwards first

        Assert.Equal("second run", Assert.Throws<TrainingException>(() => CallbackGuard.Backward(sound.sum() + failing.sum())).Message);
    }

    [Fact, LeaksNoTensors]
    public void ANativeErrorInTheSecondRun_IsThrownToo()
    {
        using var scope = NewDisposeScope();
        var x = randn(4, 4).requires_grad_(true);
        var runs = 0;
        var output = Recompute.Run(y => ++runs == 1 ? y * 2 : y.mm(y[.., ..2].t()), x, []);

        Assert.Throws<System.Runtime.InteropServices.ExternalException>(() => CallbackGuard.Backward(output.sum()));
    }

    [Fact] // TorchSharp counts the wrapper of a gradient that is not there as alive
    public void GradientsOfGradients_AreRefused()
    {
        using var scope = NewDisposeScope();
        var x = randn(4).requires_grad_(true);
        var output = Recompute.Run(y => y.pow(3), x, []).sum();

        var error = Assert.Throws<TrainingException>(() => SafeAutograd.Gradients([output], [x], createGraph: true));

        Assert.Contains("gradients of gradients", error.Message, StringComparison.Ordinal);
    }

    [Fact, LeaksNoTensors]
    public void WithoutGradients_ItIsThePlainFunction()
    {
        using var scope = NewDisposeScope();
        var runs = 0;
        var x = ones(2).requires_grad_(true);
        using (no_grad())
        {
            Assert.False(Recompute.Run(y => { runs++; return y * 2; }, x, []).requires_grad);
        }
        Assert.Equal(1, runs);
    }

    [Fact]
    public void TheExportedCpuGenerator_IsTheOneThatTorchDrawsFrom()
    {
        var found = DeviceGenerators.CpuByExport();
        Assert.SkipWhen(found is null, "not exported by this libtorch");
        manual_seed(5);
        using var before = GeneratorState.Save(found!);
        using var first = rand(3);
        GeneratorState.Restore(found!, before);
        using var second = rand(3);
        Assert.True(first.bytes.SequenceEqual(second.bytes));
    }
}
