using Nabla.Core;

namespace Nabla.Data;

/// <summary>Options of <c>random-rotate</c>: turns a picture around its centre by a random angle; corners become black.</summary>
public sealed record RandomRotateOptions
{
    /// <summary>Largest angle to either side in degrees, in [0, 180]. Default: 15.</summary>
    public double Degrees { get; init; } = 15;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Degrees is >= 0 and <= 180, $"Degrees must be in [0, 180]; it is {Degrees}.")
        .ThrowIfAny();
}

/// <summary>Turns each picture by an angle of its own.</summary>
internal sealed class RandomRotate : PictureTransform
{
    private readonly double _degrees;

    public RandomRotate(RandomRotateOptions options, AugmentationContext context) : base("random-rotate", context)
    {
        options.Validate();
        _degrees = options.Degrees;
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var angles = new double[batch.Count];
        for (var i = 0; i < angles.Length; i++)
        {
            angles[i] = random.NextDouble(-_degrees, _degrees);
        }
        batch.Replace(Batch.Inputs, PictureOps.Rotate(pictures, angles, Context.Fill(0)));
    }
}
