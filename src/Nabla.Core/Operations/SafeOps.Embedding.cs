namespace Nabla.Core;

public static partial class SafeOps
{
    /// <summary>Rows of a table.</summary>
    /// <param name="weight">The table, <c>[rows, features]</c>.</param>
    /// <param name="ids">Row numbers, int64 or int32, <c>[...]</c>; they must lie in [0, rows), see <see cref="IdCheck"/>.</param>
    /// <param name="paddingId">A row that gets no gradient, or null.</param>
    /// <param name="dividesGradientByFrequency">Whether a row's gradient is divided by how often its number occurs.</param>
    /// <returns><c>[..., features]</c>.</returns>
    /// <exception cref="ShapeException">The table has not two axes.</exception>
    public static Tensor Embedding(Tensor weight, Tensor ids, long? paddingId = null, bool dividesGradientByFrequency = false)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(ids);
        if (weight.Dimensions != 2)
        {
            throw new ShapeException("SafeOps.Embedding", nameof(weight), "[rows, features]", weight.Sizes());
        }
        return dividesGradientByFrequency
            ? AtenLayerScript.Call<Tensor>("embedding_by_frequency", weight, ids, paddingId ?? -1)
            : AtenScript.Call<Tensor>("embedding", weight, ids, paddingId ?? -1);
    }

    /// <summary>Combined rows of a table, one result for each bag; an empty bag gives 0.</summary>
    /// <param name="weight">The table, <c>[rows, features]</c>.</param>
    /// <param name="ids">Row numbers, int64, <c>[ids]</c>; they must lie in [0, rows), see <see cref="IdCheck"/>.</param>
    /// <param name="offsets">Where each bag starts, int64, <c>[bags]</c>, from 0 upwards, never falling, at most the number of ids.</param>
    /// <param name="mode">sum, mean or max.</param>
    /// <param name="weights">Factor of each row (sum only), <c>[ids]</c>, or null.</param>
    /// <param name="paddingId">A row number that counts nothing, or null.</param>
    /// <returns><c>[bags, features]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="ArgumentException">The mode is not known.</exception>
    public static Tensor EmbeddingBag(Tensor weight, Tensor ids, Tensor offsets, string mode, Tensor? weights = null, long? paddingId = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(offsets);
        if (weight.Dimensions != 2 || ids.Dimensions != 1 || offsets.Dimensions != 1 || (weights is not null && weights.Sizes() is not [_]))
        {
            throw new ShapeException("SafeOps.EmbeddingBag", nameof(ids), "[ids] beside weight [rows, features] and offsets [bags]", ids.Sizes());
        }
        var kind = mode switch { "sum" => 0L, "mean" => 1L, "max" => 2L, _ => throw new ArgumentException($"Mode '{mode}' is not known. Valid: sum, mean, max.", nameof(mode)) };
        var (output, places, sizes, largest) = AtenLayerScript.Call<(Tensor, Tensor, Tensor, Tensor)>("embedding_bag", weight, ids, offsets, kind, weights, paddingId);
        places.Dispose();
        sizes.Dispose();
        largest.Dispose();
        return output;
    }
}
