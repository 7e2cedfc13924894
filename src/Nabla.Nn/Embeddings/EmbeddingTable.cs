namespace Nabla.Nn;

/// <summary>
/// A trained vector for each id. Ids on the CPU are checked, so that one out of range is named instead of ending the process.
/// Key of the checkpoint: <c>weight</c>, as in PyTorch's Embedding.
/// </summary>
public sealed class EmbeddingTable : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly EmbeddingTableOptions _options;

    /// <summary>Creates the table with weights drawn from a normal distribution; the padding row is 0.</summary>
    /// <param name="options">Size and bounds.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public EmbeddingTable(EmbeddingTableOptions options)
        : base(nameof(EmbeddingTable))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        weight = EmbeddingWeights.Draw(options.Count, options.Features, options.StandardDeviation, options.PaddingId);
        RegisterComponents();
    }

    /// <summary>Creates the table.</summary>
    /// <param name="count">How many ids there are.</param>
    /// <param name="features">Size of each vector.</param>
    /// <param name="paddingId">An id whose row gets no gradient, or null.</param>
    /// <param name="standardDeviation">Spread of the initial weights.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public EmbeddingTable(long count, long features, long? paddingId = null, double standardDeviation = 1)
        : this(new EmbeddingTableOptions { Count = count, Features = features, PaddingId = paddingId, StandardDeviation = standardDeviation })
    {
    }

    /// <summary>How many ids there are.</summary>
    public long Count => _options.Count;

    /// <summary>Size of each vector.</summary>
    public long Features => _options.Features;

    /// <summary>The table, <c>[count, features]</c>; owned by this module. It is a new object after a move of type or device.</summary>
    public Parameter Weight => weight;

    /// <summary>Looks ids up.</summary>
    /// <param name="ids">int64 or int32, <c>[...]</c>.</param>
    /// <returns><c>[..., features]</c>.</returns>
    /// <exception cref="DataException">An id is out of range.</exception>
    public override Tensor forward(Tensor ids)
    {
        IdCheck.InRange(ids, Count, "EmbeddingTable.forward", "token");
        if (_options.MaxNorm is { } longest)
        {
            Shorten(ids, longest);
        }
        return SafeOps.Embedding(weight, ids, _options.PaddingId, _options.DividesGradientByFrequency);
    }

    /// <summary>Scores of all ids for each vector, with the table as weights (weight tying: Press and Wolf, 2017).</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <returns><c>[..., count]</c>.</returns>
    public Tensor Score(Tensor x) => functional.linear(x, weight);

    /// <summary>Rewrites the rows that are looked up and too long, as PyTorch does: <c>row * longest / (norm + 1e-7)</c>.</summary>
    private void Shorten(Tensor ids, double longest)
    {
        if (ids.numel() == 0)
        {
            return;
        }
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var (used, _, _) = ids.flatten().to(ScalarType.Int64).unique();
        var rows = weight.index_select(0, used); // [used, features]
        var norms = rows.abs().pow(Number.Of(_options.NormPower)).sum(-1, keepdim: true).pow(Number.Of(1 / _options.NormPower)); // [used, 1]
        var factors = torch.where(norms > Number.Of(longest), Number.Of(longest) / (norms + Number.Of(1e-7)), torch.ones_like(norms));
        weight.index_copy_(0, used, rows * factors);
    }
}
