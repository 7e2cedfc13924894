namespace Nabla.Nn;

/// <summary>Normalisations by name. Thread-safe.</summary>
public static class Normalizations
{
    /// <summary>Names for feature maps <c>[batch, channels, ...]</c>: batch-norm, group-norm, layer-norm (one group), none.</summary>
    public static IReadOnlyCollection<string> ChannelNames { get; } = ["batch-norm", "group-norm", "layer-norm", "none"];

    /// <summary>Names for token features <c>[..., features]</c>: layer-norm, rms-norm, none.</summary>
    public static IReadOnlyCollection<string> FeatureNames { get; } = ["layer-norm", "rms-norm", "none"];

    /// <summary>A normalisation of feature maps; null for none.</summary>
    /// <param name="name">One of <see cref="ChannelNames"/>.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="groups">Groups of a group-norm; channels must be a multiple of it.</param>
    /// <exception cref="ArgumentException">The name is not known, or the groups do not divide the channels.</exception>
    public static Module<Tensor, Tensor>? ForChannels(string name, int channels, int groups = 32) => name switch
    {
        "batch-norm" => new BatchNormalization(new() { Channels = channels }),
        "group-norm" when groups < 1 || channels % groups != 0 => throw new ArgumentException($"group-norm: channels ({channels}) must be a multiple of groups ({groups}).", nameof(groups)),
        "group-norm" => InitializedGroupNorm(groups, channels),
        "layer-norm" => InitializedGroupNorm(1, channels),
        "none" => null,
        _ => throw new ArgumentException($"Normalisation '{name}' is not known. {NearestName.Suggest(name, ChannelNames)}", nameof(name)),
    };

    /// <summary>A normalisation of the last axis; null for none.</summary>
    /// <param name="name">One of <see cref="FeatureNames"/>.</param>
    /// <param name="features">Size of the last axis.</param>
    /// <param name="epsilon">Added to the variance; null: 1e-5 for layer-norm, 1e-6 for rms-norm.</param>
    /// <exception cref="ArgumentException">The name is not known.</exception>
    public static Module<Tensor, Tensor>? ForFeatures(string name, int features, double? epsilon = null) => name switch
    {
        "layer-norm" => LayerNorm(features, epsilon ?? 1e-5),
        "rms-norm" => new RmsNorm(features, epsilon ?? 1e-6),
        "none" => null,
        _ => throw new ArgumentException($"Normalisation '{name}' is not known. {NearestName.Suggest(name, FeatureNames)}", nameof(name)),
    };

    /// <summary>Applies a normalisation of the last axis, a layer norm through its fused kernel.</summary>
    /// <param name="norm">From <see cref="ForFeatures"/>.</param>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <param name="isForProduct">Whether only matrix products read the result, so that under autocast it may be made in their type at once.</param>
    /// <returns><c>[..., features]</c>.</returns>
    public static Tensor Apply(Module<Tensor, Tensor> norm, Tensor x, bool isForProduct)
    {
        ArgumentNullException.ThrowIfNull(norm);
        return norm is LayerNorm { weight: { } weight, bias: { } bias } layer && norm.training ? FusedOps.LayerNorm(x, weight, bias, layer.eps, isForProduct) : norm.call(x);
    }

    /// <summary>TorchSharp 0.107 leaves weight and bias of a new GroupNorm uninitialised: whatever lay in that memory.</summary>
    private static GroupNorm InitializedGroupNorm(int groups, int channels)
    {
        var norm = GroupNorm(groups, channels);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        norm.weight!.fill_(Number.Of(1));
        norm.bias!.fill_(Number.Of(0));
        return norm;
    }
}
