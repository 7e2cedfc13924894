namespace Nabla.Benchmarks;

/// <summary>One training step on a fixed batch: forward, backward and the optimiser's update. Owns its model, optimiser and batch.</summary>
internal interface ITrainingStep : IDisposable
{
    /// <summary>Runs one step and returns its loss.</summary>
    double Step();
}

/// <summary>A step that can say how large its model is, so that both sides can be compared.</summary>
internal interface ISizedStep
{
    /// <summary>Values in all trained parameters.</summary>
    long Parameters { get; }
}
