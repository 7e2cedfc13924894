namespace Nabla.Models;

/// <summary>A model that predicts each token from those before it: ids <c>[batch, time]</c> to logits <c>[batch, time, vocab]</c>.</summary>
public abstract class LanguageModel : Model
{
    /// <summary>Notes what the model was built for.</summary>
    /// <param name="name">Name of the model class.</param>
    /// <param name="input">Sizes of the data.</param>
    protected LanguageModel(string name, ModelInput input)
        : base(name, input)
    {
    }

    /// <summary>Most tokens that the next one can depend on; null: no bound, the model carries a state.</summary>
    public abstract int? ContextLimit { get; }

    /// <summary>Begins one text. The caller owns the decoder, which borrows this model.</summary>
    public abstract TokenDecoder StartDecoding();
}

/// <summary>
/// One text under way: takes tokens as they come and gives the logits of the next. The caller sets eval mode and
/// <c>no_grad</c> (<see cref="TextGenerator"/> does). Not thread-safe.
/// </summary>
public abstract class TokenDecoder : IDisposable
{
    /// <summary>Appends tokens to the text.</summary>
    /// <param name="tokens">At least one token id.</param>
    /// <returns>Logits of the token after them, <c>[vocab]</c>; the caller owns them.</returns>
    public abstract Tensor Append(ReadOnlySpan<long> tokens);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the decoder holds.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
