namespace Nabla.Benchmarks;

/// <summary>The training loop of TorchSharp's documentation: zero the gradients, forward, loss, backward, step, in one dispose scope.</summary>
/// <param name="model">The model; taken over.</param>
/// <param name="forward">Model and loss on the batch.</param>
/// <param name="batch">The tensors of the batch; taken over.</param>
internal sealed class BaselineStep(nn.Module model, Func<Tensor> forward, params Tensor[] batch) : ITrainingStep, ISizedStep
{
    public const double LearningRate = 3e-4, WeightDecay = 0.01;

    private readonly optim.Optimizer _optimizer = optim.AdamW(model.to(WorkloadDevice.Current).parameters(), LearningRate, weight_decay: WeightDecay);

    public long Parameters => model.parameters().Sum(parameter => parameter.numel());

    public double Step()
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        var loss = forward();
        loss.backward();
        _optimizer.step();
        return loss.item<float>();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        model.Dispose();
        foreach (var tensor in batch)
        {
            tensor.Dispose();
        }
    }
}
