using Nabla.Core;
using Nabla.Data;

namespace Nabla;

/// <summary>How the examples of a data set are divided into training, validation and test.</summary>
public enum SplitMethod
{
    /// <summary>Each example goes by chance, under the seed.</summary>
    Random = 0,

    /// <summary>By chance within each class, so that all parts have the same shares of classes.</summary>
    Stratified = 1,

    /// <summary>All examples of one group (<see cref="DataOptions.GroupColumn"/>) go to the same part.</summary>
    Group = 2,

    /// <summary>The last ones in time (<see cref="DataOptions.TimeColumn"/>, or the order of the data) are for validation and test.</summary>
    Time = 3,
}

/// <summary>How numbers of a table are scaled, by figures of the training split only.</summary>
public enum NumberScaling
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>Mean 0, standard deviation 1.</summary>
    Standard = 1,

    /// <summary>From 0 to 1.</summary>
    MinMax = 2,

    /// <summary>Median 0, distance of the quartiles 1; bears outliers.</summary>
    Robust = 3,

    /// <summary>Ranks mapped to a standard normal; bears any distribution.</summary>
    Quantile = 4,
}

/// <summary>How the target of a regression is scaled while training; results are always given in its own unit.</summary>
public enum TargetScaling
{
    /// <summary>As it is.</summary>
    None = 0,

    /// <summary>Mean 0, standard deviation 1.</summary>
    Standard = 1,

    /// <summary>ln(1 + y), then mean 0 and standard deviation 1; the target must be above -1.</summary>
    Log = 2,
}

/// <summary>How a missing number of a table is filled, by figures of the training split only.</summary>
public enum NumberFilling
{
    /// <summary>With the median.</summary>
    Median = 0,

    /// <summary>With the mean.</summary>
    Mean = 1,
}

/// <summary>What a token of a text is.</summary>
public enum TokenUnit
{
    /// <summary>A word, digit group or mark.</summary>
    Word = 0,

    /// <summary>A character.</summary>
    Character = 1,
}

/// <summary>The data of a recipe: where it is, how it is divided, and how it becomes batches.</summary>
public sealed record DataOptions
{
    /// <summary>Name of a catalogued or built-in data set, such as fashion-mnist or shapes; null when <see cref="Path"/> is given. Default: null.</summary>
    public string? Dataset { get; init; }

    /// <summary>A file (CSV, TSV, JSON lines, Parquet, text, tokens) or a folder of pictures with one folder a class; relative to the recipe's file. Null when <see cref="Dataset"/> is given. Default: null.</summary>
    public string? Path { get; init; }

    /// <summary>A further file or folder with the test examples; null: they are split off. Default: null.</summary>
    public string? TestPath { get; init; }

    /// <summary>Whether the first line of a text table names the columns; null: decided by the data set or the file. Default: null.</summary>
    public bool? HasHeader { get; init; }

    /// <summary>Character between the fields of a text table; null: comma, or a tab in a .tsv file. Default: null.</summary>
    public char? Separator { get; init; }

    /// <summary>Column of a table that is predicted; null: the data set's own, or the last column. Default: null.</summary>
    public string? Target { get; init; }

    /// <summary>Column that holds the text; null: the data set's own, or a column called text or sentence. Default: null.</summary>
    public string? TextColumn { get; init; }

    /// <summary>Column that holds the class of a text; null: the data set's own, or a column called label. Default: null.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>Columns of a table that are used as inputs; null: all but the target. Default: null.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Columns that are not used. Default: none.</summary>
    public IReadOnlyList<string> IgnoreColumns { get; init; } = [];

    /// <summary>Columns that are read as categories although all their values are numbers. Default: none.</summary>
    public IReadOnlyList<string> CategoryColumns { get; init; } = [];

    /// <summary>How numeric columns are scaled. Default: standard.</summary>
    public NumberScaling Scaling { get; init; } = NumberScaling.Standard;

    /// <summary>Numeric columns taken as sign(x) ln(1 + |x|) before scaling, for amounts and counts over several magnitudes. Default: none.</summary>
    public IReadOnlyList<string> LogColumns { get; init; } = [];

    /// <summary>How a missing number is filled. Default: median.</summary>
    public NumberFilling Filling { get; init; }

    /// <summary>Whether a numeric column with missing values gets a second input that is 1 where it was missing. Default: true.</summary>
    public bool MissingIndicator { get; init; } = true;

    /// <summary>A category that comes less often in the training split is taken as unknown, at least 1. Default: 1.</summary>
    public int MinimumCategoryCount { get; init; } = 1;

    /// <summary>How the target of a regression is scaled while training. Default: standard.</summary>
    public TargetScaling TargetScaling { get; init; } = TargetScaling.Standard;

    /// <summary>Share of the training examples that is kept for validation, in [0, 1); null: the data set's own validation split, or 0.1 where it has none. Default: null.</summary>
    public double? Validation { get; init; }

    /// <summary>Share of all examples that is kept for the test, in [0, 1), where the data set has no test split of its own; null: 0.2 there, or 0 for language-modeling. Default: null.</summary>
    public double? Test { get; init; }

    /// <summary>How examples are divided; null: by time for language-modeling, else stratified for classes and random for numbers. Default: null.</summary>
    public SplitMethod? Split { get; init; }

    /// <summary>Column whose values keep together (split: group). Default: null.</summary>
    public string? GroupColumn { get; init; }

    /// <summary>Column that orders the rows of a table (split: time). Default: null.</summary>
    public string? TimeColumn { get; init; }

    /// <summary>Fixes the split apart from the run's seed; null: the run's seed. Default: null.</summary>
    public long? SplitSeed { get; init; }

    /// <summary>Use at most so many examples of each part, the first ones; null: all. Default: null.</summary>
    public long? Limit { get; init; }

    /// <summary>Changes to training pictures, in this order. Default: none.</summary>
    public IReadOnlyList<AugmentationSelection> Augment { get; init; } = [];

    /// <summary>Side of the square to which pictures are brought, in pixels; null: the size of the first training picture. Default: null.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Channels of pictures, 1 (grey) or 3 (colour); null: those of the data set, 3 for a folder. Default: null.</summary>
    public int? Channels { get; init; }

    /// <summary>Whether each line of a text file is an example of its own (language-modeling). Default: false.</summary>
    public bool Lines { get; init; }

    /// <summary>Longest text in tokens; what is beyond is cut. Default: 256.</summary>
    public int MaxLength { get; init; } = 256;

    /// <summary>Tokens that a language model sees at once. Default: 128.</summary>
    public int Context { get; init; } = 128;

    /// <summary>How text becomes tokens.</summary>
    public VocabularyOptions Vocabulary { get; init; } = new();

    /// <summary>Size and seed of the generated data set shapes; null: its defaults. Default: null.</summary>
    public ShapesOptions? Shapes { get; init; }

    /// <summary>Whether classes are drawn equally often while training. Default: false.</summary>
    public bool BalanceClasses { get; init; }

    /// <summary>Whether texts of like lengths are put into one batch, which saves padding. Default: true.</summary>
    public bool BucketByLength { get; init; } = true;

    /// <summary>Whether the last batch of an epoch is left out when it is not full. Default: false.</summary>
    public bool DropLast { get; init; }

    /// <summary>Threads that decode and augment batches ahead of the training step, 1 to 256; the result is the same for any number. Null: half of the cores, at most 8. Default: null.</summary>
    public int? Workers { get; init; }

    /// <summary>
    /// Whether lines are packed, several whole ones after each other, into rows of <see cref="Context"/> tokens in which no line sees another,
    /// so that nothing is computed for padding (language-modeling of lines, families that take packed rows, such as gpt). Default: false.
    /// </summary>
    public bool Packing { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Dataset is not null || Path is not null, "dataset or path must be given; neither is.")
        .Require(Dataset is null || Path is null, "path and dataset exclude each other; keep one of them.")
        .Require(Validation is null or (>= 0 and < 1), $"validation must be in [0, 1); it is {Validation}.")
        .Require(Test is null or (>= 0 and < 1), $"test must be in [0, 1); it is {Test}.")
        .Require(Test is null || !((Validation ?? 0) + Test >= 1), $"validation and test must leave something to train on; they are {Validation ?? 0} and {Test}.")
        .Require(Split != SplitMethod.Group || GroupColumn is not null, "group_column must be given when split is group.")
        .Require(MinimumCategoryCount >= 1, $"minimum_category_count must be at least 1; it is {MinimumCategoryCount}.")
        .Require(Limit is null or >= 1, $"limit must be at least 1; it is {Limit}.")
        .Require(ImageSize is null or (>= 1 and <= 4096), $"image_size must be in [1, 4096]; it is {ImageSize}.")
        .Require(Channels is null or 1 or 3, $"channels must be 1 or 3; it is {Channels}.")
        .Require(MaxLength >= 1, $"max_length must be at least 1; it is {MaxLength}.")
        .Require(Context >= 1, $"context must be at least 1; it is {Context}.")
        .Require(Workers is null or (>= 1 and <= 256), $"workers must be in [1, 256]; it is {Workers}.")
        .Require(Separator is null or (>= '\t' and < (char)128 and not '\n' and not '\r' and not '"'), $"separator must be an ASCII character other than a line end or a quote; it is U+{(int)(Separator ?? ','):X4}.")
        .ThrowIfAny();
}

/// <summary>How text becomes tokens; the vocabulary is made from the training split only.</summary>
public sealed record VocabularyOptions
{
    /// <summary>What a token is; null: character for language-modeling, else word. Default: null.</summary>
    public TokenUnit? Unit { get; init; }

    /// <summary>Most tokens kept, the most frequent ones, at least 2. Default: 30000.</summary>
    public int MaxSize { get; init; } = 30_000;

    /// <summary>A token must come at least so often to be kept. Default: 1.</summary>
    public int MinimumCount { get; init; } = 1;

    /// <summary>Whether words are brought to lower case. Default: true.</summary>
    public bool Lowercase { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(MaxSize >= 2, $"max_size must be at least 2; it is {MaxSize}.")
        .Require(MinimumCount >= 1, $"minimum_count must be at least 1; it is {MinimumCount}.")
        .ThrowIfAny();
}
