namespace Nabla.Benchmarks;

/// <summary>
/// A float32 step at the level of C++: plain tensors, one bound ATen operation after another, one fused AdamW. What it is faster by than
/// raw TorchSharp is the cost of modules and of an optimiser's loop; what it still takes is libtorch itself. Owns its tensors.
/// </summary>
internal sealed class AtenStep : ITrainingStep, ISizedStep
{
    private readonly Tensor[] _parameters, _batch;
    private readonly Func<Tensor[], Tensor> _loss;
    private readonly DirectAdamW _optimizer;

    /// <summary>Creates the step.</summary>
    /// <param name="parameters">Initial values; taken over.</param>
    /// <param name="loss">From the parameters to the loss.</param>
    /// <param name="batch">Tensors that <paramref name="loss"/> uses; taken over.</param>
    public AtenStep(Tensor[] parameters, Func<Tensor[], Tensor> loss, params Tensor[] batch)
    {
        _parameters = [.. parameters.Select(parameter => parameter.to(WorkloadDevice.Current).DetachFromDisposeScope().requires_grad_())];
        (_loss, _batch, _optimizer) = (loss, batch, new(_parameters));
    }

    public long Parameters => _parameters.Sum(parameter => parameter.numel());

    public double Step()
    {
        using var scope = NewDisposeScope();
        var loss = _loss(_parameters);
        loss.backward();
        _optimizer.Step([.. _parameters.Select(parameter => parameter.grad!)]);
        foreach (var parameter in _parameters)
        {
            parameter.grad = null;
        }
        return loss.item<float>();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        foreach (var tensor in _parameters.Concat(_batch))
        {
            tensor.Dispose();
        }
    }
}
