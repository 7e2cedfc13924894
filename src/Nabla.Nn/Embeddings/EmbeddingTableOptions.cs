namespace Nabla.Nn;

/// <summary>Size and bounds of an <see cref="EmbeddingTable"/>.</summary>
public sealed record EmbeddingTableOptions
{
    /// <summary>How many ids there are, at least 1.</summary>
    public required long Count { get; init; }

    /// <summary>Size of each vector, at least 1.</summary>
    public required long Features { get; init; }

    /// <summary>An id whose vector starts at 0 and gets no gradient; null: none. Default: null.</summary>
    public long? PaddingId { get; init; }

    /// <summary>Spread of the initial vectors, at least 0. Default: 1, as in PyTorch.</summary>
    public double StandardDeviation { get; init; } = 1;

    /// <summary>Longest vector: a longer one is shortened in the table when it is looked up; above 0, null: no bound. Default: null.</summary>
    public double? MaxNorm { get; init; }

    /// <summary>Which norm is bounded, above 0. Default: 2.</summary>
    public double NormPower { get; init; } = 2;

    /// <summary>Whether a vector's gradient is divided by how often its id occurs in the batch. Default: false.</summary>
    public bool DividesGradientByFrequency { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Count >= 1, $"Count must be at least 1; it is {Count}.")
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .Require(PaddingId is null || (PaddingId >= 0 && PaddingId < Count), $"PaddingId ({PaddingId}) must lie in [0, Count={Count}).")
        .Require(StandardDeviation >= 0, $"StandardDeviation must be at least 0; it is {StandardDeviation}.")
        .Require(MaxNorm is null or > 0, $"MaxNorm must be above 0; it is {MaxNorm}.")
        .Require(NormPower > 0, $"NormPower must be above 0; it is {NormPower}.")
        .ThrowIfAny();
}
