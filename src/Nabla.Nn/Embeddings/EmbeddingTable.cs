using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// A trained vector for each id. Ids on the CPU are checked, so that one out of range is named instead of ending the process.
/// Key of the checkpoint: <c>weight</c>, as in PyTorch's Embedding.
/// </summary>
public sealed class EmbeddingTable : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly long? _paddingId;

    /// <summary>Creates the table with weights drawn from a normal distribution; the padding row is 0.</summary>
    /// <param name="count">How many ids there are.</param>
    /// <param name="features">Size of each vector.</param>
    /// <param name="paddingId">An id whose row gets no gradient, or null.</param>
    /// <param name="standardDeviation">Spread of the initial weights.</param>
    public EmbeddingTable(long count, long features, long? paddingId = null, double standardDeviation = 1)
        : base(nameof(EmbeddingTable))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        if (paddingId is < 0 || paddingId >= count)
        {
            throw new ArgumentOutOfRangeException(nameof(paddingId), paddingId, string.Create(CultureInfo.InvariantCulture, $"The padding id must lie in [0, {count}); it is {paddingId}."));
        }
        (Count, Features, _paddingId) = (count, features, paddingId);
        using var scope = NewDisposeScope();
        var values = torch.empty(count, features).normal_(0, standardDeviation);
        if (paddingId is { } id)
        {
            values.narrow(0, id, 1).zero_();
        }
        weight = values.AsOwnedParameter();
        values.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>How many ids there are.</summary>
    public long Count { get; }

    /// <summary>Size of each vector.</summary>
    public long Features { get; }

    /// <summary>The table, <c>[count, features]</c>; owned by this module. It is a new object after a move of type or device.</summary>
    public Parameter Weight => weight;

    /// <summary>Looks ids up.</summary>
    /// <param name="ids">int64 or int32, <c>[...]</c>.</param>
    /// <returns><c>[..., features]</c>.</returns>
    /// <exception cref="DataException">An id is out of range.</exception>
    public override Tensor forward(Tensor ids)
    {
        IdCheck.InRange(ids, Count, "EmbeddingTable.forward", "token");
        return SafeOps.Embedding(weight, ids, _paddingId);
    }

    /// <summary>Scores of all ids for each vector, with the table as weights (weight tying: Press and Wolf, 2017).</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <returns><c>[..., count]</c>.</returns>
    public Tensor Score(Tensor x) => functional.linear(x, weight);
}
