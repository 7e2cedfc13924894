using Nabla.Core;

namespace Nabla.Data;

/// <summary>Options of <c>gaussian-noise</c>: adds normal noise to every pixel and channel.</summary>
public sealed record GaussianNoiseOptions
{
    /// <summary>Standard deviation of the noise for pixels in [0, 1], at least 0. Default: 0.05.</summary>
    public double StandardDeviation { get; init; } = 0.05;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(StandardDeviation >= 0 && double.IsFinite(StandardDeviation), $"StandardDeviation must be at least 0; it is {StandardDeviation}.")
        .ThrowIfAny();
}

/// <summary>Adds noise of a generator of its own.</summary>
internal sealed class GaussianNoise : PictureTransform
{
    private readonly float[] _scales;

    public GaussianNoise(GaussianNoiseOptions options, AugmentationContext context) : base("gaussian-noise", context)
    {
        options.Validate();
        _scales = [.. Enumerable.Range(0, context.Channels).Select(c => (float)(options.StandardDeviation / context.DeviationOf(c)))];
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        using var generator = new Generator(random.NextBits() >> 1, CPU);
        var noise = torch.randn(pictures.Sizes(), float32, generator: generator);
        batch.Replace(Batch.Inputs, noise.mul_(torch.tensor(_scales, [1, _scales.Length, 1, 1], float32)).add_(pictures));
    }
}
