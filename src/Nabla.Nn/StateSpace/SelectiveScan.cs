using System.Globalization;

namespace Nabla.Nn;

/// <summary>Inputs of a <see cref="SelectiveScan"/>; the caller owns the tensors.</summary>
public sealed record SelectiveScanInput
{
    /// <summary>The sequence, <c>[batch, time, features]</c>.</summary>
    public required Tensor Input { get; init; }

    /// <summary>Step sizes before softplus, the shape of <see cref="Input"/>.</summary>
    public required Tensor Delta { get; init; }

    /// <summary>Logarithm of the decay rates, <c>[features, state]</c>: the rates are <c>-exp</c> of it.</summary>
    public required Tensor LogDecay { get; init; }

    /// <summary>How the input enters the state (B of the paper), <c>[batch, time, state]</c>.</summary>
    public required Tensor Write { get; init; }

    /// <summary>How the state is read (C of the paper), <c>[batch, time, state]</c>.</summary>
    public required Tensor Read { get; init; }

    /// <summary>Weight of the input itself in the output (D of the paper), <c>[features]</c>.</summary>
    public required Tensor Skip { get; init; }

    /// <summary>Added to the step sizes before softplus, <c>[features]</c>, or null.</summary>
    public Tensor? DeltaBias { get; init; }

    /// <summary>The output is multiplied by silu of it, the shape of <see cref="Input"/>, or null.</summary>
    public Tensor? Gate { get; init; }

    /// <summary>Where to start, <c>[batch, features, state]</c>; null: zeros.</summary>
    public Tensor? State { get; init; }
}

/// <summary>
/// The selective state space recurrence of Mamba, <c>h_t = exp(delta_t A) h_(t-1) + delta_t B_t u_t</c>, <c>y_t = C_t h_t + D u_t</c>,
/// with <c>delta = softplus(delta + bias)</c> and <c>A = -exp(logDecay)</c>. Source: Gu and Dao (2023), arXiv:2312.00752. Thread-safe.
/// </summary>
public static class SelectiveScan
{
    /// <summary>Runs the recurrence, step by step.</summary>
    /// <param name="input">Sequence, step sizes and matrices.</param>
    /// <returns>The output, <c>[batch, time, features]</c>, and the last state, <c>[batch, features, state]</c>; the caller owns both.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static (Tensor Output, Tensor State) Run(SelectiveScanInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Check(input);
        using var scope = NewDisposeScope();
        var u = input.Input;
        var delta = functional.softplus(input.DeltaBias is null ? input.Delta : input.Delta + input.DeltaBias); // [batch, time, features]
        var rates = -input.LogDecay.exp(); // [features, state]
        var decay = (delta.unsqueeze(-1) * rates).exp(); // [batch, time, features, state]
        var added = (delta * u).unsqueeze(-1) * input.Write.unsqueeze(2); // [batch, time, features, state]
        var state = input.State ?? torch.zeros([u.Sizes()[0], u.Sizes()[2], rates.Sizes()[1]], u.dtype, u.device);
        var (decays, additions) = (decay.unbind(1), added.unbind(1));
        var states = new Tensor[u.Sizes()[1]];
        for (var t = 0; t < states.Length; t++)
        {
            state = states[t] = additions[t].addcmul(decays[t], state, Number.Of(1)); // [batch, features, state]
        }
        var read = (torch.stack(states, 1) * input.Read.unsqueeze(2)).sum(-1); // [batch, time, features]
        var output = read + (u * input.Skip);
        output = input.Gate is null ? output : output * functional.silu(input.Gate);
        return (output.MoveToOuterDisposeScope(), state.MoveToOuterDisposeScope());
    }

    private static void Check(SelectiveScanInput input)
    {
        const string Where = "SelectiveScan.Run";
        if (input.Input.Sizes() is not [var batch, var time, var features] || time < 1)
        {
            throw new ShapeException(Where, nameof(input.Input), "[batch, time, features] with at least one step", input.Input.Sizes());
        }
        if (input.LogDecay.Sizes() is not [var rows, var state] || rows != features)
        {
            throw new ShapeException(Where, nameof(input.LogDecay), string.Create(CultureInfo.InvariantCulture, $"[features={features}, state]"), input.LogDecay.Sizes());
        }
        Require(input.Delta, nameof(input.Delta), batch, time, features);
        Require(input.Write, nameof(input.Write), batch, time, state);
        Require(input.Read, nameof(input.Read), batch, time, state);
        Require(input.Skip, nameof(input.Skip), features);
        Require(input.DeltaBias, nameof(input.DeltaBias), features);
        Require(input.Gate, nameof(input.Gate), batch, time, features);
        Require(input.State, nameof(input.State), batch, features, state);

        static void Require(Tensor? tensor, string name, params long[] shape)
        {
            if (tensor is not null && !tensor.Sizes().AsSpan().SequenceEqual(shape))
            {
                throw new ShapeException(Where, name, ShapeException.Format(shape), tensor.Sizes());
            }
        }
    }
}
