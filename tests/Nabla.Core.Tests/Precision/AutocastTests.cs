using Nabla.Testing;

namespace Nabla.Core.Tests;

[LeaksNoTensors]
public sealed class AutocastTests
{
    [Fact]
    public void Enter_AroundForward_ComputesInBFloat16WithFloat32Gradients()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var layer = nn.Linear(8, 4);
        using var scope = NewDisposeScope();
        var x = randn(3, 8);
        Tensor output, loss;
        using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
        {
            Assert.Equal(ScalarType.BFloat16, Autocast.TypeOn(DeviceType.CPU));
            output = layer.call(x);
            loss = nn.functional.mse_loss(output, zeros(3, 4));
        }
        loss.backward();
        Assert.Equal(ScalarType.BFloat16, output.dtype);
        Assert.Equal(ScalarType.Float32, loss.dtype);
        Assert.Equal(ScalarType.Float32, layer.weight!.grad!.dtype);
        Assert.Equal(ScalarType.Float32, layer.weight.dtype);
        TensorAssert.Close(layer.call(x), output, absolute: 0.05, relative: 0.02, "bfloat16 output");
        layer.weight.grad = layer.bias!.grad = null;
    }

    [Fact]
    public void Enter_AfterWeightsChange_SeesTheNewWeights()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var layer = nn.Linear(2, 2, hasBias: false);
        using var scope = NewDisposeScope();
        foreach (var value in new[] { 1f, 3f })
        {
            using (no_grad())
            {
                layer.weight!.fill_(value);
            }
            using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
            {
                Assert.Equal(2 * value, layer.call(ones(1, 2))[0, 0].to(ScalarType.Float32).item<float>());
            }
        }
    }

    [Fact]
    public void Dispose_OfNestedScopesAndAfterExceptions_RestoresWhatWasBefore()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        Assert.Equal(ScalarType.Float32, Autocast.TypeOn(DeviceType.CPU));
        using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
        {
            using (Autocast.Enter(DeviceType.CPU, ScalarType.Float32))
            {
                Assert.Equal(ScalarType.Float32, Autocast.TypeOn(DeviceType.CPU));
            }
            Assert.Equal(ScalarType.BFloat16, Autocast.TypeOn(DeviceType.CPU));
            using (Autocast.Enter(DeviceType.CPU, ScalarType.Float16))
            {
                Assert.Equal(ScalarType.Float16, Autocast.TypeOn(DeviceType.CPU));
            }
            Assert.Equal(ScalarType.BFloat16, Autocast.TypeOn(DeviceType.CPU));
        }
        Assert.Equal(ScalarType.Float32, Autocast.TypeOn(DeviceType.CPU));
        Assert.Throws<InvalidOperationException>(FailInside);
        Assert.Equal(ScalarType.Float32, Autocast.TypeOn(DeviceType.CPU));
        using (default(AutocastScope))
        {
            Assert.Equal(ScalarType.Float32, Autocast.TypeOn(DeviceType.CPU));
        }
    }

    private static void FailInside()
    {
        using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
        {
            throw new InvalidOperationException("in the middle of a forward pass");
        }
    }

    [Fact]
    public void Enter_OnOneThread_IsNotSeenByOthers()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        var seen = ScalarType.Bool;
        using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
        {
            var thread = new Thread(() => seen = Autocast.TypeOn(DeviceType.CPU));
            thread.Start();
            thread.Join();
        }
        Assert.Equal(ScalarType.Float32, seen);
    }

    [Fact]
    public void Enter_WithTypeOrDeviceThatCannotBe_Throws()
    {
        Assert.Throws<ArgumentException>(static () => Autocast.Enter(DeviceType.CPU, ScalarType.Int64));
        Assert.Throws<ArgumentException>(static () => Autocast.Enter(DeviceType.META, ScalarType.BFloat16));
    }
}
