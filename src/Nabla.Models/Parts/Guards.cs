namespace Nabla.Models;

/// <summary>Shape checks at the entry of models, so that a wrong batch is named before native code sees it.</summary>
internal static class Guards
{
    /// <summary>Requires pictures of the size that the model was built for; height and width are free where <paramref name="anySize"/>.</summary>
    public static void Pictures(string where, ModelInput input, Tensor x, bool anySize)
    {
        if (x.Sizes() is not [_, var channels, var height, var width] || channels != input.Channels || (!anySize && (height != input.Height || width != input.Width)))
        {
            throw new ShapeException(
                where,
                nameof(ModelBatch.Inputs),
                anySize ? $"[batch, channels={input.Channels}, height, width]" : $"[batch, channels={input.Channels}, height={input.Height}, width={input.Width}]",
                x.Sizes(),
                "Bring pictures to the size of the training data before the model.");
        }
    }

    /// <summary>Requires token ids of at most <paramref name="longest"/> tokens (0: any number) and a mask and lengths that fit them.</summary>
    public static void Tokens(string where, ModelBatch batch, long longest)
    {
        if (batch.Inputs.Sizes() is not [var rows, >= 1 and var time] || (longest > 0 && time > longest))
        {
            throw new ShapeException(
                where,
                nameof(ModelBatch.Inputs),
                longest > 0 ? $"[batch, time] with 1 to {longest} tokens" : "[batch, time] with at least 1 token",
                batch.Inputs.Sizes(),
                "Crop the text, or build the model with a longer ModelInput.ContextLength.");
        }
        if (batch.Inputs.dtype != ScalarType.Int64)
        {
            throw new ArgumentException($"{where}: expected token ids of type Int64, got {batch.Inputs.dtype}. Convert the ids with to(ScalarType.Int64).", nameof(batch));
        }
        if (batch.Mask is not null && !batch.Mask.Sizes().AsSpan().SequenceEqual([rows, time]))
        {
            throw new ShapeException(where, nameof(ModelBatch.Mask), $"[batch={rows}, time={time}]", batch.Mask.Sizes(), "The mask has one entry for each token.");
        }
        if (batch.Mask is not null && batch.Mask.dtype != ScalarType.Bool)
        {
            throw new ArgumentException($"{where}: expected a mask of type Bool (true: a real token), got {batch.Mask.dtype}.", nameof(batch));
        }
        foreach (var (name, field) in new[] { (nameof(ModelBatch.Documents), batch.Documents), (nameof(ModelBatch.Positions), batch.Positions) })
        {
            if (field is not null && !field.Sizes().AsSpan().SequenceEqual([rows, time]))
            {
                throw new ShapeException(where, name, $"[batch={rows}, time={time}]", field.Sizes(), "There is one entry for each token.");
            }
        }
        if (batch.Lengths is not null && !batch.Lengths.Sizes().AsSpan().SequenceEqual([rows]))
        {
            throw new ShapeException(where, nameof(ModelBatch.Lengths), $"[batch={rows}]", batch.Lengths.Sizes(), "There is one length for each text.");
        }
    }
}
