namespace Nabla.Nn;

/// <summary>How tables of vectors start.</summary>
internal static class EmbeddingWeights
{
    /// <summary>Weights <c>[count, features]</c> from a normal distribution around 0, the padding row 0; owned by nobody's scope.</summary>
    public static Parameter Draw(long count, long features, double standardDeviation, long? paddingId)
    {
        using var scope = NewDisposeScope();
        var values = torch.empty(count, features).normal_(0, standardDeviation);
        if (paddingId is { } id)
        {
            values.narrow(0, id, 1).zero_();
        }
        var weight = values.AsOwnedParameter();
        values.DetachFromDisposeScope();
        return weight;
    }
}
