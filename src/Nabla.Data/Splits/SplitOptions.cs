using Nabla.Core;

namespace Nabla.Data;

/// <summary>What is held out of a data set, and how it is chosen.</summary>
public sealed record SplitOptions
{
    /// <summary>The ways to choose: <c>random</c>, <c>stratified</c> (equal shares of every class), <c>group</c> (a group is never divided), <c>time</c> (the latest rows).</summary>
    public static IReadOnlyCollection<string> Strategies { get; } = ["random", "stratified", "group", "time"];

    /// <summary>Share of the rows held out for validation, in [0, 1); null keeps the publisher's validation split, if there is one. Default: null.</summary>
    public double? Validation { get; init; }

    /// <summary>Share of the rows held out for test, in [0, 1); null keeps the publisher's test split, if there is one. Default: null.</summary>
    public double? Test { get; init; }

    /// <summary>How rows are chosen, one of <see cref="Strategies"/>. Default: random.</summary>
    public string Strategy { get; init; } = "random";

    /// <summary>Column of the group or the time, for the strategies group and time; of the class for stratified, where null means the target. Default: null.</summary>
    public string? Column { get; init; }

    /// <summary>Seed of the choice. Default: 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Checks the options.</summary>
    /// <exception cref="OptionsException">An option is not valid; all problems are listed.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Validation is null or (>= 0 and < 1), $"Validation must be in [0, 1); it is {Validation}.")
        .Require(Test is null or (>= 0 and < 1), $"Test must be in [0, 1); it is {Test}.")
        .Require((Validation ?? 0) + (Test ?? 0) < 1, $"Validation ({Validation}) and Test ({Test}) together must be below 1, so that rows are left to train on.")
        .OneOf(nameof(Strategy), Strategy, Strategies)
        .Require(Strategy is not ("group" or "time") || Column is not null, $"Strategy '{Strategy}' needs Column, the name of the column to split by.")
        .Require(Strategy != "random" || Column is null, $"Column '{Column}' has no meaning for Strategy 'random'.")
        .ThrowIfAny();
}
