using Nabla.Core;

namespace Nabla.Data;

/// <summary>A transform of the pictures of a batch, <c>[batch, channels, height, width]</c> (float32).</summary>
internal abstract class PictureTransform(string name, AugmentationContext context) : IBatchTransform
{
    public string Name => name;

    protected AugmentationContext Context => context;

    public void Apply(Batch batch, RandomStream random)
    {
        using var scope = NewDisposeScope();
        var pictures = batch[Batch.Inputs];
        if (pictures.Sizes() is not [_, var channels, var height, var width] || (channels, height, width) != (context.Channels, context.Height, context.Width))
        {
            throw new ShapeException(name, Batch.Inputs, $"[batch, channels={context.Channels}, height={context.Height}, width={context.Width}]", pictures.Sizes(),
                "Augmentation works on pictures of the size that the data set declares.");
        }
        if (pictures.dtype != float32)
        {
            throw new DataException($"{name}: expected pictures as float32 numbers, got {pictures.dtype}. Give the source a PixelNormalization.");
        }
        Change(batch, pictures.contiguous(), random);
    }

    /// <summary>Changes the batch; tensors made here are freed after it unless the batch takes them over.</summary>
    protected abstract void Change(Batch batch, Tensor pictures, RandomStream random);
}
