namespace Nabla.Models;

/// <summary>The tensors that a model reads; the caller owns them.</summary>
/// <param name="Inputs">Pictures <c>[batch, channels, height, width]</c>, token ids <c>[batch, time]</c> (int64) or numbers <c>[batch, features]</c> (no columns when a table has categories only).</param>
/// <param name="Mask">True where <paramref name="Inputs"/> holds a real token, <c>[batch, time]</c> (bool); null: as <paramref name="Lengths"/> say.</param>
/// <param name="Lengths">Number of real tokens, which come first, <c>[batch]</c> (int64); null: as <paramref name="Mask"/> says, or all.</param>
/// <param name="Categories">Categorical columns as ids, <c>[batch, columns]</c> (int64); null when the table has none.</param>
/// <param name="Decoder">Token ids of the answer so far, shifted so that entry t is what stands before answer t, <c>[batch, answerTime]</c> (int64); null for models without a decoder.</param>
/// <param name="DecoderMask">True where <paramref name="Decoder"/> holds a real token, <c>[batch, answerTime]</c> (bool); null: all are.</param>
public readonly record struct ModelBatch(
    Tensor Inputs, Tensor? Mask = null, Tensor? Lengths = null, Tensor? Categories = null, Tensor? Decoder = null, Tensor? DecoderMask = null)
{
    /// <summary>Which text each token of a packed row belongs to, <c>[batch, time]</c> (int64): tokens of different texts do not see each other. Null: a row is one text.</summary>
    public Tensor? Documents { get; init; }

    /// <summary>Place of each token in its text, <c>[batch, time]</c> (int64); null: its place in the row.</summary>
    public Tensor? Positions { get; init; }

    /// <summary>A batch with inputs only.</summary>
    /// <param name="inputs">The inputs.</param>
    public static implicit operator ModelBatch(Tensor inputs) => new(inputs);

    /// <summary>A batch with inputs only.</summary>
    /// <param name="inputs">The inputs.</param>
    public static ModelBatch FromTensor(Tensor inputs) => new(inputs);

    /// <summary>
    /// Which tokens are real, <c>[batch, time]</c> (bool), from the mask or the lengths; null when all are. The caller owns the result.
    /// </summary>
    internal Tensor? TokenMask()
    {
        if (Mask is not null)
        {
            return Mask.alias();
        }
        if (Lengths is null)
        {
            return null;
        }
        using var scope = NewDisposeScope();
        var positions = arange(Number.Of(Inputs.Sizes()[1]), dtype: ScalarType.Int64, device: Inputs.device);   // [time]
        return positions.unsqueeze(0).lt(Lengths.unsqueeze(1)).MoveToOuterDisposeScope();          // [batch, time]
    }

    /// <summary>Number of real tokens, <c>[batch]</c> (int64), from the lengths or the mask; null when all are. The caller owns the result.</summary>
    internal Tensor? TokenCounts() => Lengths is not null ? Lengths.alias() : Mask?.sum(1, type: ScalarType.Int64);
}
