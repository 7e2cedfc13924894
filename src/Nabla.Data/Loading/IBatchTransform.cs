using Nabla.Core;

namespace Nabla.Data;

/// <summary>Changes a training batch (augmentation). Called from the loader's background threads, from several at once when <see cref="LoaderOptions.Workers"/> says so; all randomness comes from the given stream.</summary>
public interface IBatchTransform
{
    /// <summary>Name as written in a recipe, such as <c>random-crop</c>.</summary>
    string Name { get; }

    /// <summary>Changes <paramref name="batch"/> in place through <see cref="Batch.Replace"/>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="random">Random numbers of this epoch, batch and transform.</param>
    void Apply(Batch batch, RandomStream random);
}
