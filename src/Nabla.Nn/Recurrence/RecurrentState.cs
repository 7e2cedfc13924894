namespace Nabla.Nn;

/// <summary>What a <see cref="Recurrent"/> carries from step to step. The holder owns the tensors.</summary>
/// <param name="Hidden"><c>[layers * directions, batch, hidden or projection]</c>.</param>
/// <param name="Memory">The cell state of an LSTM, <c>[layers * directions, batch, hidden]</c>; null for others.</param>
public sealed record RecurrentState(Tensor Hidden, Tensor? Memory = null) : IDisposable
{
    /// <summary>The same values without their history, for training on pieces of a long text (truncated backpropagation through time).</summary>
    public RecurrentState Detach() => new(Hidden.detach(), Memory?.detach());

    /// <summary>Hands the tensors to the scope around the current one.</summary>
    public RecurrentState MoveToOuterDisposeScope() => new(Hidden.MoveToOuterDisposeScope(), Memory?.MoveToOuterDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        Hidden.Dispose();
        Memory?.Dispose();
    }
}

/// <summary>Result of a <see cref="Recurrent"/>. The holder owns the tensors.</summary>
/// <param name="Outputs"><c>[batch, time, directions * hidden]</c>, 0 after a sequence's end.</param>
/// <param name="State">The state after each sequence's last real step.</param>
public sealed record RecurrentOutput(Tensor Outputs, RecurrentState State) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Outputs.Dispose();
        State.Dispose();
    }
}
