namespace Nabla.Nn;

/// <summary>Size of a <see cref="RelativePositionBias"/>.</summary>
public sealed record RelativePositionOptions
{
    /// <summary>Number of attention heads, at least 1.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of buckets, at least 4 (2 when only the past counts). Default: 32.</summary>
    public int Buckets { get; init; } = 32;

    /// <summary>Distance from which all share the last bucket; above a quarter of <see cref="Buckets"/> (half when only the past counts). Default: 128.</summary>
    public int MaxDistance { get; init; } = 128;

    /// <summary>Whether keys after the query have buckets of their own. Default: true.</summary>
    public bool IsBidirectional { get; init; } = true;

    internal int PerDirection => IsBidirectional ? Buckets / 2 : Buckets;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Heads >= 1, $"Heads must be at least 1; it is {Heads}.")
        .Require(PerDirection >= 2, $"Buckets must be at least {(IsBidirectional ? 4 : 2)}; it is {Buckets}.")
        .Require(MaxDistance > PerDirection / 2, $"MaxDistance ({MaxDistance}) must be above {PerDirection / 2}, the distances with a bucket of their own.")
        .ThrowIfAny();
}

/// <summary>
/// A trained number for each head and bucket of distances, added to attention scores. Half the buckets hold one distance each, the
/// others grow logarithmically. Source: Raffel et al. (2020), arXiv:1910.10683, section 2.1. Key of the checkpoint: <c>weight</c>.
/// </summary>
public sealed class RelativePositionBias : Module<long, long, Tensor>
{
    private readonly Parameter weight;
    private readonly RelativePositionOptions _options;

    /// <summary>Creates the biases, standard normal as in PyTorch's Embedding.</summary>
    /// <param name="options">Size.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public RelativePositionBias(RelativePositionOptions options)
        : base(nameof(RelativePositionBias))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        weight = torch.randn(options.Buckets, options.Heads).AsOwnedParameter();
        RegisterComponents();
    }

    /// <summary>What is added to attention scores.</summary>
    /// <param name="queryTime">Number of queries; the last one stands at the last key.</param>
    /// <param name="keyTime">Number of keys.</param>
    /// <returns><c>[1, heads, queryTime, keyTime]</c>.</returns>
    public override Tensor forward(long queryTime, long keyTime)
    {
        using var scope = NewDisposeScope();
        var buckets = new long[queryTime * keyTime];
        for (var query = 0L; query < queryTime; query++)
        {
            for (var key = 0L; key < keyTime; key++)
            {
                buckets[(query * keyTime) + key] = Bucket(key - (query + keyTime - queryTime), _options);
            }
        }
        var rows = SafeOps.Embedding(weight, torch.tensor(buckets, device: weight.device).view(queryTime, keyTime)); // [queryTime, keyTime, heads]
        return rows.permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope(); // [1, heads, queryTime, keyTime]
    }

    /// <summary>The bucket of a distance; logarithms in float32, as in transformers, decide at the edges.</summary>
    /// <param name="relative">Position of the key minus that of the query.</param>
    /// <param name="options">Number of buckets and longest distance.</param>
    /// <returns>In [0, buckets).</returns>
    public static long Bucket(long relative, RelativePositionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var count = options.PerDirection;
        var first = options.IsBidirectional && relative > 0 ? count : 0;
        var distance = options.IsBidirectional ? Math.Abs(relative) : Math.Max(-relative, 0);
        var exact = count / 2;
        if (distance < exact)
        {
            return first + distance;
        }
        var large = exact + (long)(MathF.Log((float)distance / exact) / (float)Math.Log((double)options.MaxDistance / exact) * (count - exact));
        return first + Math.Min(large, count - 1);
    }
}
