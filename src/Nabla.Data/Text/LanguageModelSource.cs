using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// One long text, cut into windows for learning to predict the next token: <see cref="Batch.Inputs"/> <c>[batch, time]</c> and
/// <see cref="Batch.Targets"/> <c>[batch, time]</c>, the same tokens one place later. The last window of
/// <see cref="TextWindows.SideBySide"/> may be short; it is filled with token 0 whose targets are -100. Thread-safe.
/// </summary>
public sealed class LanguageModelSource : IBatchSource
{
    /// <summary>Target where there is nothing to predict.</summary>
    public const long NoTarget = -100;

    private readonly ITokenSequence _tokens;
    private readonly LanguageModelOptions _options;

    /// <summary>Creates the source.</summary>
    /// <param name="tokens">Token ids of the whole text; not copied.</param>
    /// <param name="options">How it is cut.</param>
    /// <exception cref="DataException">The text is too short for one window.</exception>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    public LanguageModelSource(int[] tokens, LanguageModelOptions options)
        : this(new TokenArray(tokens ?? throw new ArgumentNullException(nameof(tokens))), options)
    {
    }

    /// <summary>Creates the source over tokens that may lie in a file.</summary>
    /// <param name="tokens">Token ids of the whole text; the caller keeps owning them.</param>
    /// <param name="options">How it is cut.</param>
    /// <exception cref="DataException">The text is too short for one window.</exception>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    public LanguageModelSource(ITokenSequence tokens, LanguageModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var needed = options.Windows == TextWindows.Overlapping ? options.Time + 1L : 2;
        if (tokens.Count < needed)
        {
            throw new DataException($"LanguageModelSource: expected at least {needed} tokens for windows of {options.Time}, got {tokens.Count}. Use a longer text or a smaller Time.");
        }
        (_tokens, _options) = (tokens, options);
    }

    /// <inheritdoc/>
    public long Count => _options.Windows == TextWindows.Overlapping
        ? _tokens.Count - _options.Time
        : (_tokens.Count - 2 + _options.Time) / _options.Time;

    /// <summary>Windows that together are as long as the text: a good <see cref="LoaderOptions.ExamplesPerEpoch"/> for overlapping windows.</summary>
    public long WindowsPerPass => Math.Max(1, (_tokens.Count - 1) / _options.Time);

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(LanguageModelSource), indices, Count);
        using var scope = NewDisposeScope();
        var time = _options.Time;
        var (inputs, targets) = (new long[indices.Length * time], new long[indices.Length * time]);
        Array.Fill(targets, NoTarget);
        var window = new long[time + 1];
        for (var row = 0; row < indices.Length; row++)
        {
            var start = _options.Windows == TextWindows.Overlapping ? indices[row] : indices[row] * time;
            var count = (int)Math.Min(time + 1, _tokens.Count - start);
            _tokens.Read(start, window.AsSpan(0, count));
            window.AsSpan(0, count - 1).CopyTo(inputs.AsSpan(row * time));
            window.AsSpan(1, count - 1).CopyTo(targets.AsSpan(row * time));
        }
        return new([
            KeyValuePair.Create(Batch.Inputs, torch.tensor(inputs, [indices.Length, time], int64)),
            KeyValuePair.Create(Batch.Targets, torch.tensor(targets, [indices.Length, time], int64)),
        ]);
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => _options.Time;
}
