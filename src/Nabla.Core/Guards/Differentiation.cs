namespace Nabla.Core;

/// <summary>
/// Derivatives of functions from tensor to tensor. A function that does not use its argument has zeros, where
/// <c>torch.autograd.grad</c> would end the process. Arguments are left alone; the caller owns the results, which carry no history.
/// The function may not change its argument in place. Thread-safe.
/// </summary>
public static class Differentiation
{
    /// <summary>Value and gradient of a scalar function.</summary>
    /// <param name="function">From the shape of <paramref name="x"/> to a scalar.</param>
    /// <param name="x">Where, floating point.</param>
    /// <returns>The value, <c>[]</c>, and the gradient, the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The value is no scalar.</exception>
    /// <exception cref="ArgumentException">The argument is not floating point.</exception>
    public static (Tensor Value, Tensor Gradient) Gradient(Func<Tensor, Tensor> function, Tensor x)
    {
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        var point = Leaf(x);
        var value = Scalar(function, point);
        return (value.detach().MoveToOuterDisposeScope(), Pull(value, point, null, createGraph: false).MoveToOuterDisposeScope());
    }

    /// <summary>Second derivatives of a scalar function.</summary>
    /// <param name="function">From the shape of <paramref name="x"/> to a scalar.</param>
    /// <param name="x">Where, floating point.</param>
    /// <returns>The shape of <paramref name="x"/> twice; <c>[n, n]</c> for a vector.</returns>
    /// <exception cref="ShapeException">The value is no scalar.</exception>
    /// <exception cref="ArgumentException">The argument is not floating point.</exception>
    public static Tensor Hessian(Func<Tensor, Tensor> function, Tensor x)
        => Jacobian(point => Pull(Scalar(function, point), point, null, createGraph: true), x);

    /// <summary>The Hessian times a vector, in two passes and without building it.</summary>
    /// <param name="function">From the shape of <paramref name="x"/> to a scalar.</param>
    /// <param name="x">Where, floating point.</param>
    /// <param name="direction">The vector, the shape of <paramref name="x"/>.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The value is no scalar, or the direction has another shape.</exception>
    /// <exception cref="ArgumentException">The argument is not floating point.</exception>
    public static Tensor HessianVectorProduct(Func<Tensor, Tensor> function, Tensor x, Tensor direction)
        => VectorJacobianProduct(point => Pull(Scalar(function, point), point, null, createGraph: true), x, direction); // a Hessian is symmetric

    /// <summary>First derivatives of every output by every input; one pass for each output.</summary>
    /// <param name="function">From the shape of <paramref name="x"/> to any shape.</param>
    /// <param name="x">Where, floating point.</param>
    /// <returns>The output's shape, then that of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException">The argument is not floating point.</exception>
    public static Tensor Jacobian(Func<Tensor, Tensor> function, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(function);
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        var point = Leaf(x);
        var y = function(point);
        var rows = new Tensor[y.numel()];
        var flat = y.reshape(rows.Length);
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row] = Pull(flat.select(0, row), point, null, createGraph: false, retainGraph: true);
        }
        return (rows.Length == 0 ? torch.zeros([.. y.Sizes(), .. x.Sizes()], x.dtype, x.device) : torch.stack(rows).reshape([.. y.Sizes(), .. x.Sizes()])).detach().MoveToOuterDisposeScope();
    }

    /// <summary>A vector times the Jacobian (reverse mode): one pass.</summary>
    /// <param name="function">From the shape of <paramref name="x"/> to any shape.</param>
    /// <param name="x">Where, floating point.</param>
    /// <param name="cotangent">The vector, the shape of the output.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The vector has another shape than the output.</exception>
    /// <exception cref="ArgumentException">The argument is not floating point.</exception>
    public static Tensor VectorJacobianProduct(Func<Tensor, Tensor> function, Tensor x, Tensor cotangent)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(cotangent);
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        var point = Leaf(x);
        var y = function(point);
        RequireShape(nameof(VectorJacobianProduct), nameof(cotangent), y.Sizes(), cotangent.Sizes());
        return Pull(y, point, cotangent, createGraph: false).detach().MoveToOuterDisposeScope();
    }

    /// <summary>The Jacobian times a vector, the derivative along a direction, by two reverse passes (Townsend, 2017).</summary>
    /// <param name="function">From the shape of <paramref name="x"/> to any shape; it must be differentiable twice by libtorch.</param>
    /// <param name="x">Where, floating point.</param>
    /// <param name="tangent">The vector, the shape of <paramref name="x"/>.</param>
    /// <returns>The shape of the output.</returns>
    /// <exception cref="ShapeException">The vector has another shape than <paramref name="x"/>.</exception>
    /// <exception cref="ArgumentException">The argument is not floating point.</exception>
    public static Tensor JacobianVectorProduct(Func<Tensor, Tensor> function, Tensor x, Tensor tangent)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(tangent);
        RequireShape(nameof(JacobianVectorProduct), nameof(tangent), x.Sizes(), tangent.Sizes());
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        var point = Leaf(x);
        var y = function(point);
        var weights = torch.zeros_like(y).detach().requires_grad_();
        var pulled = Pull(y, point, weights, createGraph: true); // linear in the weights: its derivative by them along the tangent is the product
        return Pull(pulled, weights, tangent, createGraph: false).detach().MoveToOuterDisposeScope();
    }

    private static Tensor Leaf(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.is_floating_point()
            ? x.detach().requires_grad_()
            : throw new ArgumentException($"Differentiation: the argument must be floating point; it is {x.dtype}. Convert it with .to(ScalarType.Float32).", nameof(x));
    }

    private static Tensor Scalar(Func<Tensor, Tensor> function, Tensor point)
    {
        ArgumentNullException.ThrowIfNull(function);
        var value = function(point);
        return value.Dimensions == 0
            ? value
            : throw new ShapeException("Differentiation", nameof(function), "a function with a scalar value, []", value.Sizes(), "Reduce it with sum or mean, or ask for its Jacobian.");
    }

    /// <summary>The gradient of an output (weighted by a cotangent) by an input; zeros where the input was not used.</summary>
    private static Tensor Pull(Tensor output, Tensor input, Tensor? cotangent, bool createGraph, bool retainGraph = false)
    {
        if (!output.requires_grad)
        {
            return torch.zeros_like(input);
        }
        var gradient = SafeAutograd.Gradients([output], [input], cotangent is null ? null : [cotangent], createGraph, retainGraph)[0];
        if (gradient is null || createGraph)
        {
            return gradient ?? torch.zeros_like(input);
        }
        using var ungraded = no_grad();
        return torch.empty_like(input).copy_(gradient); // a derivative that is 0 everywhere (of sign) comes as a tensor without storage
    }

    private static void RequireShape(string method, string parameter, long[] expected, long[] actual)
    {
        if (!expected.AsSpan().SequenceEqual(actual))
        {
            throw new ShapeException("Differentiation." + method, parameter, ShapeException.Format(expected), actual);
        }
    }
}
