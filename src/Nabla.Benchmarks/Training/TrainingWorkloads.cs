using Nabla.Models;

namespace Nabla.Benchmarks;

/// <summary>The workloads of the suite <c>train</c>. Each is a function of its sizes, so that tests can run a small one.</summary>
internal static class TrainingWorkloads
{
    /// <summary>All workloads at the sizes that are measured.</summary>
    public static IReadOnlyList<TrainingWorkload> All { get; } =
    [
        Mlp(batch: 128, features: 64, hidden: 256, classes: 10),
        Cnn(batch: 128, side: 28, channels: 32, dense: 128, classes: 10),
        ResNet(batch: 32, side: 32, width: 64, classes: 10),
        Lstm(batch: 32, time: 128, vocabulary: 65, embedding: 128, hidden: 256, layers: 2),
        Encoder("W5", "encoder", batch: 32, time: 128, vocabulary: 10_000, features: 256, layers: 4, heads: 8, hidden: 1024, classes: 2, dropout: 0.1),
        Gpt(batch: 8, time: 256, vocabulary: 65, features: 384, layers: 6, heads: 6, dropout: 0.2),
        EncoderDecoder(batch: 64, shortest: 12, longest: 20, vocabulary: 100, features: 128, layers: 4, heads: 4, hidden: 512, dropout: 0.1),
        Encoder("W8", "bert-base", batch: 8, time: 128, vocabulary: 30_522, features: 768, layers: 12, heads: 12, hidden: 3072, classes: 2, dropout: 0.1),
    ];

    public static TrainingWorkload Mlp(int batch, int features, int hidden, int classes) => WorkloadFactory.Create(
        "W1",
        $"mlp {features}-{hidden}-{hidden}-{classes}, batch {batch}",
        StepCost.Linear(batch, features, hidden) + StepCost.Linear(batch, hidden, hidden) + StepCost.Linear(batch, hidden, classes),
        FixedBatch.Numbers([batch, features], classes),
        new() { Task = ModelTasks.TabularClassification, Outputs = classes, Features = features },
        input => new Mlp(new() { Hidden = [hidden, hidden] }, input),
        (x, y) => MlpBaseline.Create(x, y, features, hidden, classes));

    public static TrainingWorkload Cnn(int batch, int side, int channels, int dense, int classes) => WorkloadFactory.Create(
        "W2",
        $"cnn {side}x{side}, conv{channels}-conv{2 * channels}-dense{dense}, batch {batch}",
        StepCost.Convolution(batch * side * side, 1, channels, 3)
            + StepCost.Convolution(batch * (side / 2) * (side / 2), channels, 2 * channels, 3)
            + StepCost.Linear(batch, 2 * channels * (side / 4) * (side / 4), dense)
            + StepCost.Linear(batch, dense, classes),
        FixedBatch.Numbers([batch, 1, side, side], classes),
        new() { Task = ModelTasks.ImageClassification, Outputs = classes, Channels = 1, Height = side, Width = side },
        input => new Cnn(new() { Channels = [channels, 2 * channels], Norm = "none", Hidden = [dense] }, input),
        (x, y) => CnnBaseline.Create(x, y, channels, dense, classes));

    public static TrainingWorkload ResNet(int batch, int side, int width, int classes) => WorkloadFactory.Create(
        "W3",
        $"resnet-18 at {side}x{side}{(width == 64 ? "" : $", width {width}")}, batch {batch}",
        ResNetCost(batch, side, width, classes),
        FixedBatch.Numbers([batch, 3, side, side], classes),
        new() { Task = ModelTasks.ImageClassification, Outputs = classes, Channels = 3, Height = side, Width = side },
        input => new ResNet(new() { Depth = 18, Width = width }, input),
        (x, y) => ResNetBaseline.Create(x, y, width, classes));

    public static TrainingWorkload Lstm(int batch, int time, int vocabulary, int embedding, int hidden, int layers) => WorkloadFactory.Create(
        "W4",
        $"lstm language model, vocab {vocabulary}, embedding {embedding}, hidden {hidden}, {layers} layers, batch {batch}, time {time}",
        StepCost.Lstm(batch, time, embedding, hidden) + ((layers - 1) * StepCost.Lstm(batch, time, hidden, hidden)) + StepCost.Linear(batch * time, hidden, vocabulary),
        FixedBatch.Tokens(batch, time, vocabulary),
        new() { Task = ModelTasks.LanguageModeling, Outputs = vocabulary, Vocabulary = vocabulary, ContextLength = time },
        input => RecurrentFamilies.Lstm.Create(new RecurrentModelOptions { Embedding = embedding, Hidden = hidden, Layers = layers }, input),
        (x, y) => LstmBaseline.Create(x, y, vocabulary, embedding, hidden, layers));

    public static TrainingWorkload Encoder(
        string name, string title, int batch, int time, int vocabulary, int features, int layers, int heads, int hidden, int classes, double dropout) => WorkloadFactory.Create(
        name,
        $"{title}, {layers} layers, {features} wide, {heads} heads, feed-forward {hidden}, vocab {vocabulary}, batch {batch}, time {time}, dropout {dropout}",
        (layers * StepCost.TransformerBlock(batch, time, features, hidden)) + StepCost.Linear(batch, features, classes),
        FixedBatch.Texts(batch, time, vocabulary, classes),
        new() { Task = ModelTasks.TextClassification, Outputs = classes, Vocabulary = vocabulary, ContextLength = time },
        input => new TransformerEncoderClassifier(
            new() { Features = features, Layers = layers, Heads = heads, HiddenFeatures = hidden, Dropout = dropout, AttentionDropout = dropout }, input),
        (x, y) => EncoderBaseline.Create(x, y, vocabulary, features, layers, heads, hidden, classes, dropout));

    public static TrainingWorkload Gpt(int batch, int time, int vocabulary, int features, int layers, int heads, double dropout) => WorkloadFactory.Create(
        "W6",
        $"gpt, {layers} layers, {features} wide, {heads} heads, vocab {vocabulary}, batch {batch}, time {time}, dropout {dropout}",
        (layers * StepCost.TransformerBlock(batch, time, features, 4 * features)) + StepCost.Linear(batch * time, features, vocabulary),
        FixedBatch.Tokens(batch, time, vocabulary),
        new() { Task = ModelTasks.LanguageModeling, Outputs = vocabulary, Vocabulary = vocabulary, ContextLength = time },
        input => new Gpt(new() { Features = features, Layers = layers, Heads = heads, Dropout = dropout, AttentionDropout = dropout }, input),
        (x, y) => GptBaseline.Create(x, y, vocabulary, features, layers, heads, dropout));

    public static TrainingWorkload EncoderDecoder(int batch, int shortest, int longest, int vocabulary, int features, int layers, int heads, int hidden, double dropout)
    {
        // Padding is computed, so every sequence counts as the longest; a decoder block attends to itself and to the source.
        var cross = (4 * StepCost.Linear(batch * longest, features, features)) + StepCost.Attention(batch, longest, longest, features);
        var cost = (layers * ((2 * StepCost.TransformerBlock(batch, longest, features, hidden)) + cross)) + StepCost.Linear(batch * longest, features, vocabulary);
        ModelInput input = new() { Task = ModelTasks.SequenceToSequence, Outputs = vocabulary, Vocabulary = vocabulary, ContextLength = longest };
        EncoderDecoderOptions options = new()
        {
            Features = features,
            EncoderLayers = layers,
            DecoderLayers = layers,
            Heads = heads,
            HiddenFeatures = hidden,
            TieHead = false,
            Dropout = dropout,
            AttentionDropout = dropout,
        };
        return new(
            "W7",
            $"encoder-decoder, {layers}+{layers} layers, {features} wide, {heads} heads, feed-forward {hidden}, vocab {vocabulary}, batch {batch}, lengths {shortest} to {longest}, dropout {dropout}",
            3 * cost,
            () =>
            {
                manual_seed(WorkloadFactory.Seed);
                var pairs = SequencePairs.Draw(batch, shortest, longest, vocabulary);
                return EncoderDecoderBaseline.Create(pairs.Source, pairs.Input, pairs.Target, vocabulary, features, layers, heads, hidden, dropout);
            },
            precision =>
            {
                Seeds.SetGlobal(WorkloadFactory.Seed, RandomPurpose.Initialization);
                var pairs = SequencePairs.Draw(batch, shortest, longest, vocabulary);
                return new StepRunnerStep(new SequencePairsTask(new EncoderDecoder(options, input)), () => SequencePairsTask.ToBatch(pairs), precision, dispose: pairs.Dispose);
            });
    }

    /// <summary>The 3x3 stem, four stages of two basic blocks that halve the side from the second on, and the head.</summary>
    private static double ResNetCost(double batch, double side, double width, double classes)
    {
        var cost = StepCost.Convolution(batch * side * side, 3, width, 3);
        var (inputs, outputs) = (width, width);
        for (var stage = 0; stage < 4; stage++, outputs *= 2, side /= 2)
        {
            var places = batch * side * side;
            cost += StepCost.Convolution(places, inputs, outputs, 3) + (3 * StepCost.Convolution(places, outputs, outputs, 3));
            cost += inputs == outputs ? 0 : StepCost.Convolution(places, inputs, outputs, 1);
            inputs = outputs;
        }
        return cost + StepCost.Linear(batch, inputs, classes);
    }
}
