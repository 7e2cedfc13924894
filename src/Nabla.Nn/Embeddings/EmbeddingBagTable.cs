using System.Globalization;

namespace Nabla.Nn;

/// <summary>Size and kind of an <see cref="EmbeddingBagTable"/>.</summary>
public sealed record EmbeddingBagTableOptions
{
    /// <summary>How many ids there are, at least 1.</summary>
    public required long Count { get; init; }

    /// <summary>Size of each vector, at least 1.</summary>
    public required long Features { get; init; }

    /// <summary>How the vectors of a bag are combined: sum, mean or max. Default: mean.</summary>
    public string Mode { get; init; } = "mean";

    /// <summary>An id that counts nothing, not even in a mean; null: none. Default: null.</summary>
    public long? PaddingId { get; init; }

    /// <summary>Spread of the initial vectors, at least 0. Default: 1, as in PyTorch.</summary>
    public double StandardDeviation { get; init; } = 1;

    /// <summary>Valid values of <see cref="Mode"/>.</summary>
    public static IReadOnlyCollection<string> ModeNames { get; } = ["sum", "mean", "max"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Count >= 1, $"Count must be at least 1; it is {Count}.")
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .OneOf(nameof(Mode), Mode, ModeNames)
        .Require(PaddingId is null || (PaddingId >= 0 && PaddingId < Count), $"PaddingId ({PaddingId}) must lie in [0, Count={Count}).")
        .Require(StandardDeviation >= 0, $"StandardDeviation must be at least 0; it is {StandardDeviation}.")
        .ThrowIfAny();
}

/// <summary>
/// Looks up the vectors of a bag of ids and combines them at once, without keeping each. An empty bag gives 0.
/// Key of the checkpoint: <c>weight</c>, as in PyTorch's EmbeddingBag.
/// </summary>
public sealed class EmbeddingBagTable : Module<Tensor, Tensor?, Tensor?, Tensor>
{
    private readonly Parameter weight;
    private readonly EmbeddingBagTableOptions _options;

    /// <summary>Creates the table with weights drawn from a normal distribution; the padding row is 0.</summary>
    /// <param name="options">Size and kind.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public EmbeddingBagTable(EmbeddingBagTableOptions options)
        : base(nameof(EmbeddingBagTable))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        weight = EmbeddingWeights.Draw(options.Count, options.Features, options.StandardDeviation, options.PaddingId);
        RegisterComponents();
    }

    /// <summary>Combines the vectors of each bag.</summary>
    /// <param name="ids">int64, <c>[bags, size]</c>, or <c>[ids]</c> with <paramref name="offsets"/>.</param>
    /// <param name="offsets">Where each bag starts, int64, <c>[bags]</c>, from 0 upwards; null when every row is a bag.</param>
    /// <param name="weights">Factor of each vector (sum only), the shape of <paramref name="ids"/>; null: 1.</param>
    /// <returns><c>[bags, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">An id or offset is out of range.</exception>
    public override Tensor forward(Tensor ids, Tensor? offsets, Tensor? weights)
    {
        const string Where = "EmbeddingBagTable.forward";
        IdCheck.InRange(ids, _options.Count, Where, "token");
        if (offsets is null ? ids.Dimensions != 2 : ids.Dimensions != 1 || offsets.Dimensions != 1)
        {
            throw new ShapeException(Where, nameof(ids), offsets is null ? "[bags, size], or [ids] with offsets [bags]" : "[ids] beside offsets [bags]", ids.Sizes());
        }
        if (weights is not null && (_options.Mode != "sum" || !weights.Sizes().AsSpan().SequenceEqual(ids.Sizes())))
        {
            throw new ShapeException(Where, nameof(weights), $"the shape of the ids, {ShapeException.Format(ids.Sizes())}, and Mode sum (it is {_options.Mode})", weights.Sizes());
        }
        using var scope = NewDisposeScope();
        offsets = offsets is null ? torch.arange(Number.Of(0), Number.Of(ids.numel()), Number.Of(Math.Max(1, ids.Sizes()[1])), ScalarType.Int64, device: ids.device) : CheckOffsets(offsets, ids.numel());
        return SafeOps.EmbeddingBag(weight, ids.flatten().to(ScalarType.Int64), offsets, _options.Mode, weights?.flatten(), _options.PaddingId).MoveToOuterDisposeScope();
    }

    /// <summary>Combines the vectors of each bag, unweighted.</summary>
    /// <param name="ids">As in <see cref="forward"/>.</param>
    /// <param name="offsets">As in <see cref="forward"/>.</param>
    public Tensor call(Tensor ids, Tensor? offsets = null) => call(ids, offsets, null);

    private static Tensor CheckOffsets(Tensor offsets, long count)
    {
        var starts = offsets.to(ScalarType.Int64);
        var host = starts.cpu().data<long>().ToArray();
        for (var bag = 0; bag < host.Length; bag++)
        {
            if (bag == 0 ? host[0] != 0 : host[bag] < host[bag - 1] || host[bag] > count)
            {
                throw new DataException(string.Create(CultureInfo.InvariantCulture, $"EmbeddingBagTable.forward: offset {host[bag]} of bag {bag} is out of place: offsets start at 0, never fall, and end at most at {count}, the number of ids."));
            }
        }
        return starts;
    }
}
