using System.Globalization;

namespace Nabla.Nn;

/// <summary>Token vectors plus position vectors: <c>dropout(token[ids] * scale + position[0 .. time])</c>.</summary>
public sealed class TokenEmbedding : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable token;
    private readonly Parameter? position;
    private readonly Tensor? sinusoid;
    private readonly TokenEmbeddingOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Size and positions.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public TokenEmbedding(TokenEmbeddingOptions options)
        : base(nameof(TokenEmbedding))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        token = new EmbeddingTable(options.VocabularySize, options.Features, options.PaddingId, options.StandardDeviation);
        if (options.Positions == "learned")
        {
            position = torch.empty(options.MaxTime, options.Features).normal_(0, options.StandardDeviation).AsOwnedParameter();
        }
        else if (options.Positions == "sinusoidal")
        {
            sinusoid = SinusoidTable.Create(options.MaxTime, options.Features).AsOwnedBuffer();
        }
        RegisterComponents();
    }

    /// <summary>The table of token vectors, for tying output weights to it.</summary>
    public EmbeddingTable Tokens => token;

    /// <summary>Embeds a batch of sequences.</summary>
    /// <param name="ids">int64 or int32, <c>[batch, time]</c>.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The layout differs, or the sequence is longer than the positions.</exception>
    /// <exception cref="DataException">An id is out of range.</exception>
    public override Tensor forward(Tensor ids) => Embed(ids, 0);

    /// <summary>Embeds sequences that go on at a position, as in generation.</summary>
    /// <param name="ids">int64 or int32, <c>[batch, time]</c>.</param>
    /// <param name="start">Position of the first id.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The layout differs, or the sequence ends behind the positions.</exception>
    public Tensor Embed(Tensor ids, long start)
    {
        var shape = ids.Sizes();
        if (shape.Length != 2 || (_options.Positions != "none" && start + shape[1] > _options.MaxTime))
        {
            throw new ShapeException("TokenEmbedding.forward", nameof(ids), string.Create(CultureInfo.InvariantCulture, $"[batch, time] with at most {_options.MaxTime} steps"), shape,
                "Shorten the sequences, or set TokenEmbeddingOptions.MaxTime to their length.");
        }
        using var scope = NewDisposeScope();
        var x = token.call(ids); // [batch, time, features]
        var places = (position ?? sinusoid)?.narrow(0, start, shape[1]); // [time, features]
        return Finish(x, places).MoveToOuterDisposeScope();
    }

    /// <summary>Embeds sequences whose tokens have places of their own, as in rows of several texts.</summary>
    /// <param name="ids">int64 or int32, <c>[batch, time]</c>.</param>
    /// <param name="positions">Place of each token, at least 0 and below the options' most, int64, <c>[batch, time]</c>.</param>
    /// <returns><c>[batch, time, features]</c>.</returns>
    /// <exception cref="ShapeException">The positions have another shape.</exception>
    /// <exception cref="DataException">An id or a position is out of range.</exception>
    public Tensor EmbedAt(Tensor ids, Tensor positions)
    {
        var shape = ids.Sizes();
        if (!positions.Sizes().AsSpan().SequenceEqual(shape))
        {
            throw new ShapeException("TokenEmbedding.EmbedAt", nameof(positions), ShapeException.Format(shape), positions.Sizes(), "Each token has one position.");
        }
        using var scope = NewDisposeScope();
        var x = token.call(ids); // [batch, time, features]
        if ((position ?? sinusoid) is not { } table)
        {
            return Finish(x, null).MoveToOuterDisposeScope();
        }
        var flat = positions.reshape(-1);
        if (flat.numel() > 0 && (flat.min().item<long>() < 0 || flat.max().item<long>() >= _options.MaxTime))
        {
            throw new DataException(string.Create(CultureInfo.InvariantCulture, $"TokenEmbedding.EmbedAt: expected positions from 0 to {_options.MaxTime - 1}, got {flat.min().item<long>()} to {flat.max().item<long>()}. Shorten the texts, or set TokenEmbeddingOptions.MaxTime to their length."));
        }
        return Finish(x, table.index_select(0, flat).view(shape[0], shape[1], -1)).MoveToOuterDisposeScope();
    }

    private Tensor Finish(Tensor x, Tensor? places)
    {
        if (_options.ScaleByRootFeatures)
        {
            x = x * Number.Of(Math.Sqrt(_options.Features));
        }
        x = places is null ? x : x + places;
        return training && _options.Dropout > 0 ? FastDropout.Apply(x, _options.Dropout) : x;
    }
}
