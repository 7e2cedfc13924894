using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>Steps that are left out because a loss or a gradient is not finite (<see cref="NonFinitePolicy.Skip"/>).</summary>
internal sealed partial class StepRunner
{
    private readonly List<(Tensor Buffer, Tensor Kept)> _buffers = [];
    private string? _bad;
    private bool _hasUpdated;

    /// <summary>Steps left out so far.</summary>
    public long SkippedSteps { get; set; }

    /// <summary>How many of them were the last steps, in a row.</summary>
    public int SkippedInRow { get; set; }

    /// <summary>Why the last step was left out, or null when it was taken.</summary>
    public string? LeftOut { get; private set; }

    private bool MaySkip => _options.NonFinite.Policy == NonFinitePolicy.Skip;

    /// <summary>
    /// Keeps the module's buffers as they are before a step that may have to be left out or started again: batch statistics take in a batch in its
    /// forward pass already. The first step is where memory runs out and kernels are refused, if at all.
    /// </summary>
    private void KeepBuffers()
    {
        if (!MaySkip && _hasUpdated)
        {
            DisposeBuffers();
            return;
        }
        using var noGradient = no_grad();
        if (_buffers.Count == 0)
        {
            _buffers.AddRange(_task.Module.named_buffers().Select(pair => (pair.buffer, pair.buffer.clone().DetachFromDisposeScope())));
            return;
        }
        foreach (var (buffer, kept) in _buffers)
        {
            kept.copy_(buffer);
        }
    }

    /// <summary>Whether a batch may be learned from; one whose loss is not finite spoils its step.</summary>
    private bool IsFinite(StepOutput output, Batch batch, long step, int epoch)
    {
        if (!MaySkip || output.Weight == 0)
        {
            return true;
        }
        var loss = output.Loss.detach().to(ScalarType.Float64).cpu().item<double>();
        if (double.IsFinite(loss))
        {
            return true;
        }
        _bad ??= NumericFault.InLoss(step, epoch, loss, batch, _task.Module, output).Message;
        return false;
    }

    /// <summary>Whether the step that has been accumulated must be left out; gradients of float16 are the scaler's to judge.</summary>
    private bool IsSpoiled(long step, int epoch)
    {
        if (MaySkip && _bad is null && Scaler is null && !double.IsFinite(Gradients.Norm(_trained).to(ScalarType.Float64).cpu().item<double>())
            && (Gradients.FirstNonFinite(Parameters) ?? (_options.GradientClipping is null ? null : "all parameters together: their norm overflows")) is { } gradient)
        {
            _bad = NumericFault.InGradient(step, epoch, gradient).Message;
        }
        return _bad is not null;
    }

    /// <summary>Leaves the step out: all is as if its batches had not been there.</summary>
    /// <exception cref="TrainingException">Too many steps in a row were left out.</exception>
    private void LeaveOut()
    {
        RestoreBuffers();
        (LeftOut, _bad) = (_bad, null);
        SkippedSteps++;
        if (++SkippedInRow > _options.NonFinite.Limit)
        {
            throw new TrainingException($"{SkippedInRow} steps in a row had to be left out, and non_finite.limit is {_options.NonFinite.Limit}. The last: {LeftOut}");
        }
    }

    /// <summary>The module's buffers as they were before the step, where they are kept.</summary>
    private void RestoreBuffers()
    {
        using var noGradient = no_grad();
        foreach (var (buffer, kept) in _buffers)
        {
            buffer.copy_(kept);
        }
    }

    private void DisposeBuffers()
    {
        foreach (var (_, kept) in _buffers)
        {
            kept.Dispose();
        }
        _buffers.Clear();
    }
}
