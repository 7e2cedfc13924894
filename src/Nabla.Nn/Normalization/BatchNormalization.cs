using System.Globalization;

namespace Nabla.Nn;

/// <summary>Size and pace of a <see cref="BatchNormalization"/>.</summary>
public sealed record BatchNormalizationOptions
{
    /// <summary>Number of channels, at least 1.</summary>
    public required int Channels { get; init; }

    /// <summary>Added to the variance, above 0. Default: 1e-5.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Share of the newest batch in the running statistics, in [0, 1]; null: a plain average over all batches. Default: 0.1.</summary>
    public double? Momentum { get; init; } = 0.1;

    /// <summary>Whether running statistics are kept for evaluation; without, every batch is normalised by its own. Default: true.</summary>
    public bool TracksStatistics { get; init; } = true;

    /// <summary>Whether each channel has a trained scale and shift. Default: true.</summary>
    public bool UseScaleAndShift { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Channels >= 1, $"Channels must be at least 1; it is {Channels}.")
        .Require(Epsilon > 0, $"Epsilon must be above 0; it is {Epsilon}.")
        .Require(Momentum is null or (>= 0 and <= 1), $"Momentum must be in [0, 1]; it is {Momentum}.")
        .ThrowIfAny();
}

/// <summary>
/// Normalises each channel by the mean and variance of the batch while training and by running statistics in evaluation.
/// Source: Ioffe and Szegedy (2015), arXiv:1502.03167. As PyTorch's BatchNorm1d, 2d and 3d in one (normalises with the biased
/// variance, tracks the unbiased one, same keys), but a batch with one value a channel is refused with a plain message.
/// </summary>
public sealed class BatchNormalization : Module<Tensor, Tensor>, IRunningStatistics
{
    private readonly Parameter? weight, bias;
    private readonly Tensor? running_mean, running_var, num_batches_tracked; // keys as in PyTorch's checkpoints
    private readonly BatchNormalizationOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Its size and pace.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public BatchNormalization(BatchNormalizationOptions options)
        : base(nameof(BatchNormalization))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_options, Momentum) = (options, options.Momentum);
        if (options.UseScaleAndShift)
        {
            weight = torch.ones(options.Channels).AsOwnedParameter();
            bias = torch.zeros(options.Channels).AsOwnedParameter();
        }
        if (options.TracksStatistics)
        {
            running_mean = torch.zeros(options.Channels).AsOwnedBuffer();
            running_var = torch.ones(options.Channels).AsOwnedBuffer();
            num_batches_tracked = torch.zeros([], ScalarType.Int64).AsOwnedBuffer();
        }
        RegisterComponents();
    }

    /// <inheritdoc/>
    public double? Momentum { get; set; }

    /// <summary>Normalises each channel.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c>.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The channel axis is missing or has another size.</exception>
    /// <exception cref="TrainingException">While training (or without running statistics), each channel has a single value, so that its variance is not defined.</exception>
    public override Tensor forward(Tensor x)
    {
        var shape = x.Sizes();
        if (shape.Length < 2 || shape[1] != _options.Channels)
        {
            throw new ShapeException("BatchNormalization.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[batch, channels={_options.Channels}, ...]"), shape);
        }
        if (!training && _options.TracksStatistics)
        {
            return functional.batch_norm(x, running_mean!, running_var!, weight!, bias!, false, 0, _options.Epsilon);
        }
        if (x.numel() / shape[1] <= 1)
        {
            throw new TrainingException(string.Create(CultureInfo.InvariantCulture,
                $"BatchNormalization.forward: expected more than one value for each channel while training, got {ShapeException.Format(shape)}. Use a batch size of at least 2 and drop_last, or group or layer normalisation."));
        }
        if (!_options.TracksStatistics)
        {
            return functional.batch_norm(x, null!, null!, weight!, bias!, true, 0, _options.Epsilon);
        }
        using (no_grad())
        {
            num_batches_tracked!.add_(Number.Of(1));
        }
        var momentum = Momentum ?? (1.0 / num_batches_tracked.item<long>());
        return functional.batch_norm(x, running_mean!, running_var!, weight!, bias!, true, momentum, _options.Epsilon);
    }
}
