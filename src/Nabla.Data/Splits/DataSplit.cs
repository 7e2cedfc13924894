namespace Nabla.Data;

/// <summary>Row numbers of the parts of a data set; every row stands in exactly one. Each part is in ascending order.</summary>
/// <param name="Train">Rows to learn from; never empty.</param>
/// <param name="Validation">Rows to choose by (early stopping, tuning); empty when no share was asked for.</param>
/// <param name="Test">Rows to report on; empty when no share was asked for.</param>
public sealed record DataSplit(long[] Train, long[] Validation, long[] Test);

/// <summary>One fold of a cross validation.</summary>
/// <param name="Train">Rows to learn from, ascending.</param>
/// <param name="Validation">Rows to measure on, ascending; over all folds every row stands here once.</param>
public sealed record Fold(long[] Train, long[] Validation);
