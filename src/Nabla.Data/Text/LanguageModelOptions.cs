using Nabla.Core;

namespace Nabla.Data;

/// <summary>Where the windows of a <see cref="LanguageModelSource"/> begin.</summary>
public enum TextWindows
{
    /// <summary>At every token: for training, drawing some of them at random each epoch.</summary>
    Overlapping = 0,

    /// <summary>One after the other, so that each token is predicted exactly once: for evaluation.</summary>
    SideBySide = 1,
}

/// <summary>How a <see cref="LanguageModelSource"/> cuts a long text into windows.</summary>
public sealed record LanguageModelOptions
{
    /// <summary>Tokens in a window, at least 1. Default: 128.</summary>
    public int Time { get; init; } = 128;

    /// <summary>Where windows begin. Default: <see cref="TextWindows.Overlapping"/>.</summary>
    public TextWindows Windows { get; init; }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Time >= 1, $"Time must be at least 1; it is {Time}.")
        .Require(Enum.IsDefined(Windows), $"Windows must be Overlapping or SideBySide; it is {Windows}.")
        .ThrowIfAny();
}
