using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Options of <c>color-jitter</c>: changes brightness, contrast, saturation and hue by random amounts, in an order drawn for each batch.
/// A strength s means a factor uniform in [max(0, 1 - s), 1 + s].
/// </summary>
public sealed record ColorJitterOptions
{
    /// <summary>Strength of the change in brightness, at least 0. Default: 0.2.</summary>
    public double Brightness { get; init; } = 0.2;

    /// <summary>Strength of the change in contrast, at least 0. Default: 0.2.</summary>
    public double Contrast { get; init; } = 0.2;

    /// <summary>Strength of the change in saturation, at least 0; above 0 only for pictures of 3 channels. Default: 0.</summary>
    public double Saturation { get; init; }

    /// <summary>Largest turn of the hue to either side, a share of the colour circle in [0, 0.5]; above 0 only for pictures of 3 channels. Default: 0.</summary>
    public double Hue { get; init; }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Brightness >= 0 && double.IsFinite(Brightness), $"Brightness must be at least 0; it is {Brightness}.")
        .Require(Contrast >= 0 && double.IsFinite(Contrast), $"Contrast must be at least 0; it is {Contrast}.")
        .Require(Saturation >= 0 && double.IsFinite(Saturation), $"Saturation must be at least 0; it is {Saturation}.")
        .Require(Hue is >= 0 and <= 0.5, $"Hue must be in [0, 0.5]; it is {Hue}.")
        .ThrowIfAny();
}

/// <summary>Gives each picture colour changes of its own.</summary>
internal sealed class ColorJitter : PictureTransform
{
    private readonly ColorJitterOptions _options;

    public ColorJitter(ColorJitterOptions options, AugmentationContext context) : base("color-jitter", context)
    {
        options.Validate();
        if (context.Channels != 3 && (options.Saturation > 0 || options.Hue > 0))
        {
            throw new OptionsException(nameof(ColorJitterOptions), [$"Saturation and Hue need pictures of 3 channels; these have {context.Channels}. Leave both at 0."]);
        }
        _options = options;
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var (scale, shift) = (torch.tensor(Enumerable.Range(0, Context.Channels).Select(c => (float)Context.DeviationOf(c)).ToArray(), [1, Context.Channels, 1, 1], float32),
            torch.tensor(Context.Fill(0), [1, Context.Channels, 1, 1], float32));
        var colours = (pictures - shift).mul_(scale); // in [0, 1]: black became 0
        var steps = new int[] { 0, 1, 2, 3 };
        random.Shuffle(steps.AsSpan());
        foreach (var step in steps)
        {
            colours = step switch
            {
                0 when _options.Brightness > 0 => PictureOps.Brightness(colours, Factors(_options.Brightness)),
                1 when _options.Contrast > 0 => PictureOps.Contrast(colours, Factors(_options.Contrast)),
                2 when _options.Saturation > 0 => PictureOps.Saturation(colours, Factors(_options.Saturation)),
                3 when _options.Hue > 0 => PictureOps.Hue(colours, Draw(-_options.Hue, _options.Hue)),
                _ => colours,
            };
        }
        batch.Replace(Batch.Inputs, colours.div(scale).add_(shift));

        Tensor Factors(double strength) => Draw(Math.Max(0, 1 - strength), 1 + strength);

        Tensor Draw(double low, double high)
        {
            var values = new float[batch.Count];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)random.NextDouble(low, high);
            }
            return torch.tensor(values, [values.Length, 1, 1, 1], float32);
        }
    }
}
