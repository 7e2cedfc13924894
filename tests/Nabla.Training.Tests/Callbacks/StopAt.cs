namespace Nabla.Training;

/// <summary>Asks a training to stop after a step. Other projects of tests compile this file too: Nabla.Testing does not know Training.</summary>
internal sealed class StopAt(CancellationTokenSource stop, long step) : TrainingCallback
{
    public override Continuation OnStepCompleted(StepCompleted completed)
    {
        if (completed.Step == step)
        {
            stop.Cancel();
        }
        return Continuation.Continue;
    }
}
