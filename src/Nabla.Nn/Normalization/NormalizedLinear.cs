using System.Globalization;

namespace Nabla.Nn;

/// <summary>Size and kind of a <see cref="NormalizedLinear"/>.</summary>
public sealed record NormalizedLinearOptions
{
    /// <summary>Width of the input, at least 1.</summary>
    public required int InputFeatures { get; init; }

    /// <summary>Width of the output, at least 1.</summary>
    public required int OutputFeatures { get; init; }

    /// <summary>length (each output's weights have a trained length of their own) or spectrum (the largest singular value is 1). Default: length.</summary>
    public string Normalization { get; init; } = "length";

    /// <summary>Steps of power iteration for each forward pass while training (spectrum), at least 1. Default: 1.</summary>
    public int Iterations { get; init; } = 1;

    /// <summary>Whether each output has a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Valid values of <see cref="Normalization"/>.</summary>
    public static IReadOnlyCollection<string> NormalizationNames { get; } = ["length", "spectrum"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(InputFeatures >= 1, $"InputFeatures must be at least 1; it is {InputFeatures}.")
        .Require(OutputFeatures >= 1, $"OutputFeatures must be at least 1; it is {OutputFeatures}.")
        .OneOf(nameof(Normalization), Normalization, NormalizationNames)
        .Require(Iterations >= 1, $"Iterations must be at least 1; it is {Iterations}.")
        .ThrowIfAny();
}

/// <summary>A linear layer whose weight is normalised in every forward pass, by <see cref="WeightNormalizations"/>.</summary>
public sealed class NormalizedLinear : Module<Tensor, Tensor>
{
    private readonly Parameter weight; // the direction, or the weight itself
    private readonly Parameter? magnitude, bias;
    private readonly Tensor? left, right; // singular vectors
    private readonly NormalizedLinearOptions _options;

    /// <summary>Creates the layer with the initial weights of a linear layer.</summary>
    /// <param name="options">Size and kind.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public NormalizedLinear(NormalizedLinearOptions options)
        : base(nameof(NormalizedLinear))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var bound = 1 / Math.Sqrt(options.InputFeatures);
        using var ungraded = no_grad();
        weight = torch.empty(options.OutputFeatures, options.InputFeatures).uniform_(-bound, bound).AsOwnedParameter();
        bias = options.UseBias ? torch.empty(options.OutputFeatures).uniform_(-bound, bound).AsOwnedParameter() : null;
        if (options.Normalization == "length")
        {
            using var square = weight.square();
            using var sum = square.sum([1], keepdim: true);
            magnitude = sum.sqrt().AsOwnedParameter(); // [outputs, 1]
        }
        else
        {
            using var scope = NewDisposeScope();
            left = functional.normalize(torch.randn(options.OutputFeatures), dim: 0).AsOwnedBuffer();
            right = functional.normalize(torch.randn(options.InputFeatures), dim: 0).AsOwnedBuffer();
            WeightNormalizations.BySpectrum(weight, left, right, iterations: 15); // as in PyTorch: near the truth from the start
        }
        RegisterComponents();
    }

    /// <summary>Applies the layer.</summary>
    /// <param name="x"><c>[..., inputFeatures]</c>.</param>
    /// <returns><c>[..., outputFeatures]</c>.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public override Tensor forward(Tensor x)
    {
        if (x.Sizes() is not [.., var features] || features != _options.InputFeatures)
        {
            throw new ShapeException("NormalizedLinear.forward", nameof(x), string.Create(CultureInfo.InvariantCulture, $"[..., features={_options.InputFeatures}]"), x.Sizes());
        }
        using var normalized = magnitude is not null
            ? WeightNormalizations.ByLength(weight, magnitude)
            : WeightNormalizations.BySpectrum(weight, left!, right!, training ? _options.Iterations : 0);
        return functional.linear(x, normalized, bias!);
    }
}
