using CsCheck;
using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>What must hold for derivatives of every function, and misuse that would end the process.</summary>
public sealed class DifferentiationTests
{
    [Fact]
    public void Functions_ThatDoNotUseTheirArgument_HaveZeros()
    {
        using var scope = NewDisposeScope();
        var x = torch.randn(3);
        TensorAssert.Equal(torch.zeros(3), Differentiation.Gradient(_ => torch.tensor(2f), x).Gradient);
        TensorAssert.Equal(torch.zeros(3, 3), Differentiation.Hessian(_ => torch.tensor(2f), x));
        TensorAssert.Equal(torch.zeros(3, 3), Differentiation.Hessian(point => point.sum(), x));
        TensorAssert.Equal(torch.zeros(3), Differentiation.HessianVectorProduct(point => point.sum(), x, torch.ones(3)));
        TensorAssert.Equal(torch.zeros(2, 3), Differentiation.Jacobian(_ => torch.ones(2), x));
        TensorAssert.Equal(torch.zeros(2), Differentiation.JacobianVectorProduct(_ => torch.ones(2), x, torch.ones(3)));
        TensorAssert.Equal(torch.zeros(3), Differentiation.VectorJacobianProduct(_ => torch.ones(2), x, torch.ones(2)));
        TensorAssert.Equal(torch.zeros(0, 3), Differentiation.Jacobian(point => point.narrow(0, 0, 0), x));
        var other = torch.randn(3, requires_grad: true); // an argument of somebody else, as a captured weight is
        TensorAssert.Equal(torch.zeros(3), Differentiation.Gradient(_ => other.sum(), x).Gradient);
    }

    [Fact]
    public void Functions_OfWrongShape_Throw()
    {
        using var scope = NewDisposeScope();
        var x = torch.randn(3);
        Assert.Throws<ShapeException>(() => Differentiation.Gradient(point => point * 2, x));
        Assert.Throws<ShapeException>(() => Differentiation.Hessian(point => point * 2, x));
        Assert.Throws<ShapeException>(() => Differentiation.HessianVectorProduct(point => point.square().sum(), x, torch.ones(2)));
        Assert.Throws<ShapeException>(() => Differentiation.VectorJacobianProduct(point => point * 2, x, torch.ones(2)));
        Assert.Throws<ShapeException>(() => Differentiation.JacobianVectorProduct(point => point * 2, x, torch.ones(2)));
        Assert.Throws<ArgumentException>(() => Differentiation.Gradient(point => point.sum(), torch.ones(3, ScalarType.Int64)));
    }

    [Fact]
    public void Derivatives_InsideNoGrad_AreTheSame()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var x = torch.randn(3, requires_grad: true);
        TensorAssert.Close(3 * x.detach().square(), Differentiation.Gradient(point => point.pow(3).sum(), x).Gradient);
        Assert.Null(x.grad);
    }

    [Fact]
    public void Products_OfRandomFunctions_AgreeWithTheJacobian() => Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[0, 1000]).Sample((inputs, outputs, seed) =>
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(seed);
        var (weight, x, u, v) = (torch.randn(outputs, inputs, dtype: ScalarType.Float64), torch.randn(inputs, dtype: ScalarType.Float64), torch.randn(outputs, dtype: ScalarType.Float64), torch.randn(inputs, dtype: ScalarType.Float64));
        Tensor Function(Tensor point) => weight.mv(point).tanh();
        var jacobian = Differentiation.Jacobian(Function, x); // [outputs, inputs]
        TensorAssert.Close(jacobian.mv(v), Differentiation.JacobianVectorProduct(Function, x, v), 1e-12, 1e-12);
        TensorAssert.Close(jacobian.t().mv(u), Differentiation.VectorJacobianProduct(Function, x, u), 1e-12, 1e-12);
        var hessian = Differentiation.Hessian(point => Function(point).dot(u), x);
        TensorAssert.Close(hessian, hessian.t(), 1e-12, 1e-12);
        TensorAssert.Close(hessian.mv(v), Differentiation.HessianVectorProduct(point => Function(point).dot(u), x, v), 1e-12, 1e-12);
    }, iter: 40, threads: 1);
}
