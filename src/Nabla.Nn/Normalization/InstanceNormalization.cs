using System.Globalization;

namespace Nabla.Nn;

/// <summary>Size and pace of an <see cref="InstanceNormalization"/>.</summary>
public sealed record InstanceNormalizationOptions
{
    /// <summary>Number of channels, at least 1.</summary>
    public required int Channels { get; init; }

    /// <summary>Added to the variance, above 0. Default: 1e-5.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Share of the newest batch in the running statistics, in [0, 1]. Default: 0.1.</summary>
    public double Momentum { get; init; } = 0.1;

    /// <summary>Whether each channel has a trained scale and shift. Default: false, as in PyTorch.</summary>
    public bool UseScaleAndShift { get; init; }

    /// <summary>Whether running statistics are kept and used in evaluation. Default: false.</summary>
    public bool TracksStatistics { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Channels >= 1, $"Channels must be at least 1; it is {Channels}.")
        .Require(Epsilon > 0, $"Epsilon must be above 0; it is {Epsilon}.")
        .Require(Momentum is >= 0 and <= 1, $"Momentum must be in [0, 1]; it is {Momentum}.")
        .ThrowIfAny();
}

/// <summary>
/// Normalises each channel of each example by its own mean and variance. Source: Ulyanov et al. (2016), arXiv:1607.08022. As
/// PyTorch's InstanceNorm1d, 2d and 3d in one, with the same keys.
/// </summary>
public sealed class InstanceNormalization : Module<Tensor, Tensor>
{
    private readonly Parameter? weight, bias;
    private readonly Tensor? running_mean, running_var; // keys as in PyTorch's checkpoints
    private readonly InstanceNormalizationOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Its size and pace.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public InstanceNormalization(InstanceNormalizationOptions options)
        : base(nameof(InstanceNormalization))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        if (options.UseScaleAndShift)
        {
            weight = torch.ones(options.Channels).AsOwnedParameter();
            bias = torch.zeros(options.Channels).AsOwnedParameter();
        }
        if (options.TracksStatistics)
        {
            running_mean = torch.zeros(options.Channels).AsOwnedBuffer();
            running_var = torch.ones(options.Channels).AsOwnedBuffer();
        }
        RegisterComponents();
    }

    /// <summary>Normalises each channel of each example.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c> with at least one further axis.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The layout or the number of channels differs.</exception>
    /// <exception cref="TrainingException">A channel has a single value, so that its variance is not defined.</exception>
    public override Tensor forward(Tensor x)
    {
        var shape = x.Sizes();
        if (shape.Length < 3 || shape[1] != _options.Channels)
        {
            throw new ShapeException("InstanceNormalization.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[batch, channels={_options.Channels}, ...] with at least one further axis"), shape);
        }
        var usesOwn = training || !_options.TracksStatistics;
        if (usesOwn && shape.Skip(2).Aggregate(1L, (product, size) => product * size) <= 1)
        {
            throw new TrainingException($"InstanceNormalization.forward: expected more than one value for each channel of an example, got {ShapeException.Format(shape)}. Use group or layer normalisation for small feature maps.");
        }
        return functional.instance_norm(x, running_mean!, running_var!, weight!, bias!, usesOwn, _options.Momentum, _options.Epsilon);
    }
}
