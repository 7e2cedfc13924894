using Nabla.Testing;
using static Nabla.Core.Tests.TileKernelTests;

namespace Nabla.Core.Tests;

/// <summary>Gradients that own operations hand over to parameters are those that libtorch's graph would have brought there.</summary>
[LeaksNoTensors]
public sealed class DirectGradientsTests
{
    [Fact]
    public void HandedOver_InTwoPasses_AddUpLikeReturnedOnes()
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        var x = Draw(1, 9, 20);
        Tensor[] Pass(bool direct, bool isExpected = false)
        {
            Tensor[] weights = [Draw(2, 30, 20).requires_grad_(), Draw(3, 4, 30).requires_grad_()];
            for (var pass = 0; pass < 2; pass++)
            {
                using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
                Tensor loss;
                using (isExpected ? DirectGradients.Expect() : default)
                {
                    loss = PerceptronOps.Run(x, weights, [null, null]).square().mean();
                }
                if (direct)
                {
                    using var allowed = DirectGradients.Allow();
                    CallbackGuard.Backward(loss);
                }
                else
                {
                    CallbackGuard.Backward(loss);
                }
            }
            return Array.ConvertAll(weights, weight => weight.grad!);
        }
        foreach (var isExpected in new[] { false, true })
        {
            foreach (var (expected, actual) in Pass(false).Zip(Pass(true, isExpected)))
            {
                Assert.Equal(expected.data<float>().ToArray(), actual.data<float>().ToArray());
            }
        }
        Tensor[] leaves = [Draw(2, 30, 20).requires_grad_(), Draw(3, 4, 30).requires_grad_()];
        using var autocast = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        Assert.All(SafeAutograd.Gradients([PerceptronOps.Run(x, leaves, [null, null]).sum()], leaves), Assert.NotNull);
        Assert.All(leaves, leaf => Assert.Null(leaf.grad));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Expected_OfInputsComputedAndFrozenWeights_AreThoseOfTheWholeGraph(bool inputIsLeaf, bool isFrozen)
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        float[][] Gradients(bool isExpected)
        {
            Tensor[] leaves = [Draw(1, 9, 20).requires_grad_(inputIsLeaf), Draw(2, 30, 20).requires_grad_(!isFrozen), Draw(3, 4, 30).requires_grad_(), Draw(4, 30).requires_grad_(), Draw(5, 4).requires_grad_(!isFrozen)];
            Tensor loss;
            using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
            using (isExpected ? DirectGradients.Expect() : default)
            {
                loss = PerceptronOps.Run(leaves[0], [leaves[1], leaves[2] * 2], [leaves[3], leaves[4]]).square().mean(); // one weight is the result of an operation
            }
            using (DirectGradients.Allow())
            {
                CallbackGuard.Backward(loss);
            }
            return Array.ConvertAll(leaves, leaf => leaf.grad?.data<float>().ToArray() ?? []);
        }
        var expected = Gradients(false);
        Assert.Equal(new[] { inputIsLeaf, !isFrozen, true, true, !isFrozen }, expected.Select(gradient => gradient.Length > 0));
        Assert.Equal(expected, Gradients(true));
    }

    [Fact]
    public void Expected_AskedForOtherwise_AreLeftOut()
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        Tensor x = Draw(1, 9, 20).requires_grad_(), weight = Draw(2, 30, 20).requires_grad_();
        Tensor loss;
        using (DirectGradients.Expect())
        {
            loss = PerceptronOps.Run(x, [weight], [null]).square().mean();
        }
        Assert.NotNull(SafeAutograd.Gradients([loss], [x])[0]);
        Assert.Null(weight.grad);
    }
}
