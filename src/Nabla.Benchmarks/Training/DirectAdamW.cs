namespace Nabla.Benchmarks;

/// <summary>
/// AdamW as one call of <c>torch._fused_adamw_</c> with lists that are made once: the least that a step can cost. Owns its moments; the
/// parameters and gradients belong to others.
/// </summary>
internal sealed class DirectAdamW : IDisposable
{
    // Constant: a script that does not compile can end the process.
    private const string Source = """
        def adamw(parameters: List[Tensor], gradients: List[Tensor], first: List[Tensor], second: List[Tensor], steps: List[Tensor], rate: float, decay: float) -> Tensor:
            largest: List[Tensor] = []
            torch._fused_adamw_(parameters, gradients, first, second, largest, steps, lr=rate, beta1=0.9, beta2=0.999, weight_decay=decay, eps=1e-8, amsgrad=False, maximize=False)
            return steps[0]

        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Source), LazyThreadSafetyMode.ExecutionAndPublication);
    private readonly Tensor[] _parameters, _first, _second, _steps;
    private readonly Tensor _step;

    public DirectAdamW(Tensor[] parameters)
    {
        _parameters = parameters;
        _first = [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        _second = [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        _step = zeros([], ScalarType.Float32, parameters[0].device).DetachFromDisposeScope();
        _steps = [.. parameters.Select(_ => _step)];
    }

    /// <summary>One step.</summary>
    /// <param name="gradients">A gradient for each parameter.</param>
    public void Step(Tensor[] gradients)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        _step.add_(Number.Of(1));
        Unit.Value.invoke<Tensor>("adamw", _parameters, gradients, _first, _second, _steps, BaselineStep.LearningRate, BaselineStep.WeightDecay);
    }

    public void Dispose()
    {
        foreach (var tensor in _first.Concat(_second).Append(_step))
        {
            tensor.Dispose();
        }
    }
}
