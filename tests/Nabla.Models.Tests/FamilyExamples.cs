namespace Nabla.Models.Tests;

/// <summary>A small model of a family with the batches it reads: what the tests that hold for every family need.</summary>
public sealed record FamilyExample
{
    /// <summary>Name of the family.</summary>
    public required string Family { get; init; }

    /// <summary>What is special about this one.</summary>
    public required string Name { get; init; }

    /// <summary>The options, small.</summary>
    public required object Options { get; init; }

    /// <summary>Sizes of the data.</summary>
    public required ModelInput Input { get; init; }

    /// <summary>Smallest batch that can be trained on (batch normalisation: 2).</summary>
    public long SmallestTrainingBatch { get; init; } = 1;

    /// <summary>Learning rate with which Adam learns one batch by heart in 60 steps.</summary>
    public double LearningRate { get; init; } = 1e-2;

    public override string ToString() => $"{Family}/{Name}";

    public Model Create()
    {
        manual_seed(3);
        return ModelFamilies.Create(Family, Options, Input);
    }

    /// <summary>The main input of a batch; the same each time.</summary>
    public Tensor Inputs(long batch)
    {
        using var generator = new Generator(11);
        return Input switch
        {
            { Channels: > 0 } => randn([batch, Input.Channels, Input.Height, Input.Width], generator: generator),
            { Vocabulary: > 0 } => randint(0, Input.Vocabulary, [batch, Input.ContextLength], ScalarType.Int64, generator: generator),
            _ => randn([batch, Input.Features], generator: generator),
        };
    }

    /// <summary>A batch around <paramref name="inputs"/>: with categories when the table has them, without padding.</summary>
    public ModelBatch Batch(Tensor inputs)
    {
        if (Input.Task == ModelTasks.SequenceToSequence)
        {
            return new(inputs, Decoder: inputs.flip(1).remainder(Input.Outputs));
        }
        if (Input.CategorySizes.Count == 0)
        {
            return new(inputs);
        }
        using var generator = new Generator(12);
        var columns = Input.CategorySizes.Select(size => randint(0, size, [inputs.shape[0]], ScalarType.Int64, generator: generator));
        return new(inputs, Categories: stack(columns, 1));
    }

    public long[] OutputShape(long batch) => Input.Task switch
    {
        ModelTasks.TabularRegression => [batch],
        ModelTasks.LanguageModeling or ModelTasks.SequenceToSequence => [batch, Input.ContextLength, Input.Outputs],
        _ => [batch, Input.Outputs],
    };
}

/// <summary>At least one example of every family and of every option that changes its parts.</summary>
public static class FamilyExamples
{
    private static readonly ModelInput Picture = new() { Task = ModelTasks.ImageClassification, Channels = 3, Height = 12, Width = 10, Outputs = 4 };
    private static readonly ModelInput Table = new() { Task = ModelTasks.TabularClassification, Features = 5, CategorySizes = [4, 7], Outputs = 3 };
    private static readonly ModelInput Prices = new() { Task = ModelTasks.TabularRegression, Features = 5, Outputs = 1 };
    private static readonly ModelInput Text = new() { Task = ModelTasks.TextClassification, Vocabulary = 20, ContextLength = 9, Outputs = 3 };
    private static readonly ModelInput Tokens = new() { Task = ModelTasks.LanguageModeling, Vocabulary = 12, ContextLength = 9, Outputs = 12 };

    private static readonly ModelInput Pairs = new() { Task = ModelTasks.SequenceToSequence, Vocabulary = 12, ContextLength = 7, Outputs = 10 };

    public static IReadOnlyList<FamilyExample> All { get; } =
    [
        new() { Family = "mlp", Name = "plain", Options = new MlpOptions { Hidden = [16, 8] }, Input = Table },
        new() { Family = "mlp", Name = "linear", Options = new MlpOptions { Hidden = [] }, Input = Table, LearningRate = 0.1 },
        new() { Family = "mlp", Name = "categories-only", Options = new MlpOptions { Hidden = [16], Norm = "layer", Activation = "gelu" }, Input = Table with { Features = 0, CategorySizes = [9, 30, 30] }, LearningRate = 3e-2 },
        new() { Family = "mlp", Name = "residual", Options = new MlpOptions { Hidden = [16, 16], Block = "residual", Norm = "batch", Dropout = 0.1 }, Input = Table, SmallestTrainingBatch = 2 },
        new() { Family = "mlp", Name = "linear-embedding", Options = new MlpOptions { Hidden = [16], NumericEmbedding = "linear", NumericEmbeddingSize = 4 }, Input = Prices },
        new() { Family = "mlp", Name = "periodic", Options = new MlpOptions { Hidden = [16], NumericEmbedding = "periodic", NumericEmbeddingSize = 4, Frequencies = 6, Norm = "batch", Activation = "silu" }, Input = Prices, SmallestTrainingBatch = 2 },
        new() { Family = "mlp", Name = "periodic-shared", Options = new MlpOptions { Hidden = [16], NumericEmbedding = "periodic", NumericEmbeddingSize = 4, Frequencies = 6, ShareNumericLayer = true }, Input = Table },
        new() { Family = "mlp", Name = "piecewise-linear", Options = new MlpOptions { Hidden = [16], NumericEmbedding = "piecewise-linear", NumericEmbeddingSize = 4, Bins = 5 }, Input = Prices },
        new() { Family = "mlp", Name = "picture", Options = new MlpOptions { Hidden = [16] }, Input = Picture },
        new() { Family = "cnn", Name = "default-like", Options = new CnnOptions { Channels = [6, 8], Hidden = [12] }, Input = Picture, SmallestTrainingBatch = 2 },
        new() { Family = "cnn", Name = "average-head", Options = new CnnOptions { Channels = [6, 8], ConvolutionsPerBlock = 2, Hidden = [], HeadPooling = "average", Pooling = "average", Norm = "none", Activation = "leaky-relu" }, Input = Picture, LearningRate = 2e-2 },
        new() { Family = "cnn", Name = "strided", Options = new CnnOptions { Channels = [6, 8], Norms = ["batch", "none"], HeadPooling = "max", Pooling = "stride", ChannelDropout = 0.1, Dropout = 0.1, KernelSize = 5 }, Input = Picture, SmallestTrainingBatch = 2 },
        new() { Family = "resnet", Name = "small", Options = new ResNetOptions { Depth = 10, Width = 4, Dropout = 0.1, ZeroInitialResidual = false }, Input = Picture, SmallestTrainingBatch = 2 },
        new() { Family = "resnet", Name = "bottleneck", Options = new ResNetOptions { Depth = 50, Width = 2, Stages = 2, Stem = "standard", ZeroInitialResidual = false }, Input = Picture, SmallestTrainingBatch = 2 },
        new() { Family = "text-cnn", Name = "small", Options = new TextCnnOptions { Embedding = 8, Filters = 6, KernelSizes = [1, 3, 4], Dropout = 0.1, EmbeddingDropout = 0.1 }, Input = Text },
        new() { Family = "lstm", Name = "classifier", Options = new RecurrentModelOptions { Embedding = 8, Hidden = 8, Layers = 2, IsBidirectional = true, Dropout = 0.1 }, Input = Text },
        new() { Family = "gru", Name = "classifier-last", Options = new RecurrentModelOptions { Embedding = 8, Hidden = 8, IsBidirectional = true, Pooling = "last" }, Input = Text },
        new() { Family = "rnn", Name = "classifier-mean", Options = new RecurrentModelOptions { Embedding = 8, Hidden = 8, Pooling = "mean" }, Input = Text },
        new() { Family = "lstm", Name = "language", Options = new RecurrentModelOptions { Embedding = 8, Hidden = 16 }, Input = Tokens, LearningRate = 3e-2 },
        new() { Family = "gru", Name = "language-tied", Options = new RecurrentModelOptions { Embedding = 16, Hidden = 16, Layers = 2, Dropout = 0.1, TieHead = true }, Input = Tokens, LearningRate = 3e-2 },
        new() { Family = "rnn", Name = "language", Options = new RecurrentModelOptions { Embedding = 8, Hidden = 24 }, Input = Tokens, LearningRate = 3e-2 },
        new() { Family = "transformer", Name = "mean", Options = new TransformerEncoderOptions { Features = 8, Layers = 2, Heads = 2 }, Input = Text },
        new() { Family = "transformer", Name = "cls", Options = new TransformerEncoderOptions { Features = 8, Layers = 2, Heads = 2, Pooling = "cls", Positions = "sinusoidal", Activation = "relu" }, Input = Text, LearningRate = 2e-2 },
        new() { Family = "transformer", Name = "rotary-max", Options = new TransformerEncoderOptions { Features = 8, Layers = 1, Heads = 2, Pooling = "max", Positions = "rotary", HiddenFeatures = 10, AttentionDropout = 0.1 }, Input = Text },
        new() { Family = "gpt", Name = "tied", Options = new GptOptions { Features = 16, Layers = 2, Heads = 2 }, Input = Tokens },
        new() { Family = "gpt", Name = "sinusoidal", Options = new GptOptions { Features = 16, Layers = 1, Heads = 2, Positions = "sinusoidal", ContextLength = 12, AttentionDropout = 0.1 }, Input = Tokens },
        new() { Family = "gpt", Name = "modern", Options = new GptOptions { Features = 16, Layers = 2, Heads = 4, KeyValueHeads = 2, Positions = "rotary", Normalization = "rms-norm", Activation = "silu", IsGated = true, UseBias = false, TieHead = false, Dropout = 0.1 }, Input = Tokens },
        new() { Family = "encoder-decoder", Name = "pre-norm", Options = new EncoderDecoderOptions { Features = 16, EncoderLayers = 2, DecoderLayers = 2, Heads = 2, Dropout = 0, AttentionDropout = 0.1 }, Input = Pairs },
        new() { Family = "encoder-decoder", Name = "post-norm", Options = new EncoderDecoderOptions { Features = 16, EncoderLayers = 1, DecoderLayers = 1, Heads = 2, NormalizeFirst = false, TieHead = false, Positions = "sinusoidal", Activation = "relu" }, Input = Pairs },
    ];

    public static IEnumerable<TheoryDataRow<FamilyExample>> Rows => All.Select(Row);

    public static IEnumerable<TheoryDataRow<FamilyExample>> LanguageModels => All.Where(example => example.Input.Task == ModelTasks.LanguageModeling).Select(Row);

    public static IEnumerable<TheoryDataRow<FamilyExample>> Classifiers => All.Where(example => example.Input.Task == ModelTasks.TextClassification).Select(Row);

    private static TheoryDataRow<FamilyExample> Row(FamilyExample example) => new(example) { TestDisplayName = example.ToString() };
}
