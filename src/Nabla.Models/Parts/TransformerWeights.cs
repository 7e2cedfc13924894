namespace Nabla.Models;

/// <summary>Initial weights of transformers as in GPT-2: N(0, 0.02), biases 0, and projections into the residual stream scaled down by its depth.</summary>
internal static class TransformerWeights
{
    /// <summary>Radford et al. (2019), section 2.3, and the published code.</summary>
    public const double StandardDeviation = 0.02;

    /// <summary>
    /// The entry of a transformer. Learned positions start as small as tokens; sinusoids have entries up to 1, so tokens must start as
    /// large (Vaswani et al., 2017, section 3.4: times the root of the width); rotary positions act in the attention instead.
    /// </summary>
    public static TokenEmbedding Embedding(int vocabulary, int features, int maxTime, string positions, double dropout) => new(new()
    {
        VocabularySize = vocabulary,
        Features = features,
        MaxTime = maxTime,
        Dropout = dropout,
        Positions = positions == "rotary" ? "none" : positions,
        StandardDeviation = positions == "sinusoidal" ? 1 / Math.Sqrt(features) : StandardDeviation,
        ScaleByRootFeatures = positions == "sinusoidal",
    });

    /// <summary>Draws the weights of <paramref name="blocks"/> and <paramref name="head"/>; norms keep 1 and 0.</summary>
    public static void Initialize(ModuleList<TransformerBlock> blocks, Linear? head)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        foreach (var block in blocks)
        {
            Initialize(block, 2L * blocks.Count); // two projections a block add to the residual stream
        }
        head?.weight!.normal_(0, StandardDeviation);
        head?.bias?.zero_();
    }

    /// <summary>Draws the weights of <paramref name="blocks"/> of a decoder.</summary>
    public static void Initialize(ModuleList<DecoderBlock> blocks)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        foreach (var block in blocks)
        {
            Initialize(block, 3L * blocks.Count);
        }
    }

    private static void Initialize(Module block, long residuals)
    {
        foreach (var (name, parameter) in block.named_parameters())
        {
            if (parameter.ndim == 2)
            {
                var isResidual = name is "attention.output.weight" or "cross.out_proj.weight" or "feedForward.down.weight";
                parameter.normal_(0, isResidual ? StandardDeviation / Math.Sqrt(residuals) : StandardDeviation);
            }
            else if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                parameter.zero_();
            }
        }
    }
}
