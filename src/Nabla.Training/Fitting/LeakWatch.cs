using System.Globalization;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Warns when live tensors grow with the steps, as they do when a model or a callback makes tensors that no scope frees: native memory then
/// fills up until the process is ended. Looks at epoch ends and every so many steps; growth must last over several looks. Not thread-safe.
/// </summary>
internal sealed class LeakWatch
{
    private const int LooksInRow = 3;
    private const long StepsBetween = 500;
    private const double TensorsPerStep = 0.5; // one tensor in every second step: more than batches that are prepared ahead can make
    private long? _lastStep;
    private long _lastCount, _firstCount, _firstStep;
    private int _growing;
    private bool _hasWarned;

    /// <summary>Looks when it is time to.</summary>
    /// <param name="step">Steps taken.</param>
    /// <param name="isEpochEnd">Whether an epoch has just ended.</param>
    /// <returns>The warning, once, or null.</returns>
    public string? Look(long step, bool isEpochEnd)
    {
        if (_hasWarned || (!isEpochEnd && step - (_lastStep ?? 0) < StepsBetween))
        {
            return null;
        }
        var count = TensorStatistics.LiveInProcess;
        if (_lastStep is { } last && step > last)
        {
            var grows = count - _lastCount >= TensorsPerStep * (step - last) && count > _lastCount;
            if (grows && _growing++ == 0)
            {
                (_firstCount, _firstStep) = (_lastCount, last);
            }
            else if (!grows)
            {
                _growing = 0;
            }
        }
        (_lastStep, _lastCount) = (step, count);
        if (_growing < LooksInRow)
        {
            return null;
        }
        _hasWarned = true;
        return string.Create(CultureInfo.InvariantCulture, $"Live tensors grew from {_firstCount} to {count} in {step - _firstStep} steps, {(double)(count - _firstCount) / (step - _firstStep):F1} a step: something keeps tensors that no scope frees, and memory will run out. Open a dispose scope in each method that makes tensors (forward, metrics, callbacks), and keep numbers instead of tensors.");
    }
}
