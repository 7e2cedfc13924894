using System.Text.Json;
using Nabla.Nn;

namespace Nabla.Models.Tests;

/// <summary>
/// A stored training run in our parts: which model it is, where its weights belong, what its batches are. Sizes come from the stored
/// tensors. The caller's scope owns all tensors.
/// </summary>
internal abstract class CurveProblem(GoldenTensors tensors, JsonElement options)
{
    private static readonly Dictionary<string, Func<GoldenTensors, JsonElement, CurveProblem>> Kinds = new()
    {
        ["mlp-iris"] = (tensors, options) => new MlpCurve(tensors, options),
        ["cnn-digits"] = (tensors, options) => new CnnCurve(tensors, options),
        ["lstm-characters"] = (tensors, options) => new LstmCurve(tensors, options),
        ["gpt-characters"] = (tensors, options) => new GptCurve(tensors, options),
        ["encoder-majority"] = (tensors, options) => new EncoderCurve(tensors, options),
        ["vae-digits"] = (tensors, options) => new VaeCurve(tensors, options),
        ["ddpm-digits"] = (tensors, options) => new DdpmCurve(tensors, options),
    };

    protected GoldenTensors Tensors { get; } = tensors;

    protected JsonElement Options { get; } = options;

    public static CurveProblem? Find(string kind, GoldenTensors tensors, JsonElement options)
        => Kinds.TryGetValue(kind, out var create) ? create(tensors, options) : null;

    /// <summary>The model, with weights of its own.</summary>
    public abstract nn.Module Create();

    /// <summary>The stored start weights by the keys of our model.</summary>
    public abstract IEnumerable<(string Key, Tensor Value)> Weights();

    /// <summary>The loss of the step's stored batch.</summary>
    public abstract Tensor Loss(nn.Module model, int step, ScalarType type);

    /// <summary>One of the stored evaluations of the trained model; null when it is not a number or not known.</summary>
    public abstract double? Measure(nn.Module model, string name, ScalarType type);

    protected Tensor Start(string name) => Tensors.Tensor("start." + name);

    protected long[] StartShape(string name) => Tensors.Shape("start." + name);

    protected Tensor Ids(string name) => Tensors.Tensor(name).to(ScalarType.Int64);

    protected Tensor Rows(int step) => Ids("batches.rows")[step];

    /// <summary>Weight and bias of a layer that has another name here.</summary>
    protected IEnumerable<(string Key, Tensor Value)> Pair(string key, string name)
        => [($"{key}.weight", Start($"{name}.weight")), ($"{key}.bias", Start($"{name}.bias"))];
}

/// <summary>A problem of one of our model families: class numbers from logits.</summary>
internal abstract class FamilyCurve(GoldenTensors tensors, JsonElement options) : CurveProblem(tensors, options)
{
    protected virtual double LabelSmoothing => 0;

    public abstract Model CreateModel();

    public abstract (ModelBatch Batch, Tensor Target) Train(int step, ScalarType type);

    public abstract (ModelBatch Batch, Tensor Target) Test(ScalarType type);

    public override nn.Module Create() => CreateModel();

    public override Tensor Loss(nn.Module model, int step, ScalarType type)
    {
        var (batch, target) = Train(step, type);
        return LossFunctions.CrossEntropy(((Model)model).call(batch), target, labelSmoothing: LabelSmoothing);
    }

    public override double? Measure(nn.Module model, string name, ScalarType type)
    {
        var (batch, target) = Test(type);
        return name switch
        {
            "loss" => LossFunctions.CrossEntropy(((Model)model).call(batch), target).ToDouble(),
            "accuracy" => ((Model)model).call(batch).argmax(-1).eq(target).to(ScalarType.Float64).mean().ToDouble(),
            "running_mean_sum" or "running_var_sum" => model.named_buffers().Single(buffer => buffer.name.EndsWith(name[..^4], StringComparison.Ordinal)).buffer.sum().ToDouble(),
            _ => null,
        };
    }
}

internal sealed class MlpCurve(GoldenTensors tensors, JsonElement options) : FamilyCurve(tensors, options)
{
    private IEnumerable<int> Layers => Enumerable.Range(1, Tensors.Keys.Count(key => key.StartsWith("start.layer", StringComparison.Ordinal) && key.EndsWith("weight", StringComparison.Ordinal)));

    public override Model CreateModel() => new Mlp(
        new() { Hidden = [.. Layers.SkipLast(1).Select(layer => (int)StartShape($"layer{layer}.weight")[0])] },
        new()
        {
            Task = ModelTasks.TabularClassification,
            Features = (int)StartShape("layer1.weight")[1],
            Outputs = (int)StartShape($"layer{Layers.Last()}.weight")[0],
        });

    public override IEnumerable<(string Key, Tensor Value)> Weights()
        => [.. Layers.SkipLast(1).SelectMany(layer => Pair($"blocks.{layer - 1}.linear", $"layer{layer}")), .. Pair("head", $"layer{Layers.Last()}")];

    public override (ModelBatch Batch, Tensor Target) Train(int step, ScalarType type)
        => (Tensors.Tensor("data.train.x").to(type)[Rows(step)], Ids("data.train.y")[Rows(step)]);

    public override (ModelBatch Batch, Tensor Target) Test(ScalarType type) => (Tensors.Tensor("data.test.x").to(type), Ids("data.test.y"));
}

internal sealed class CnnCurve(GoldenTensors tensors, JsonElement options) : FamilyCurve(tensors, options)
{
    public override Model CreateModel() => new Cnn(
        new() { Channels = [(int)StartShape("conv1.weight")[0], (int)StartShape("conv2.weight")[0]], Norms = ["batch", "none"], Hidden = [] },
        new() { Task = ModelTasks.ImageClassification, Channels = 1, Height = 8, Width = 8, Outputs = (int)StartShape("head.weight")[0] });

    public override IEnumerable<(string Key, Tensor Value)> Weights()
    {
        // Our convolution before a batch norm has no bias; one of zero stays zero, since the norm takes its gradient away.
        Assert.SkipUnless(Start("conv1.bias").abs().max().ToDouble() == 0, "a bias other than 0 before a batch norm is not something Cnn has");
        return
        [
            ("blocks.0.convolutions.0.weight", Start("conv1.weight")),
            .. Pair("blocks.0.norms.0", "batch_norm"),
            .. Pair("blocks.1.convolutions.0", "conv2"),
            .. Pair("head", "head"),
        ];
    }

    public override (ModelBatch Batch, Tensor Target) Train(int step, ScalarType type)
        => (Pictures("data.train.pixels", type)[Rows(step)], Ids("data.train.y")[Rows(step)]);

    public override (ModelBatch Batch, Tensor Target) Test(ScalarType type) => (Pictures("data.test.pixels", type), Ids("data.test.y"));

    private Tensor Pictures(string name, ScalarType type) => Tensors.Tensor(name).to(type).div(16).unsqueeze(1);   // [examples, 1, 8, 8]
}

internal abstract class CharactersCurve(GoldenTensors tensors, JsonElement options) : FamilyCurve(tensors, options)
{
    protected const int Time = 24; // parts/curves.py, CharLstm.time

    protected ModelInput Input(int vocabulary) => new() { Task = ModelTasks.LanguageModeling, Vocabulary = vocabulary, Outputs = vocabulary, ContextLength = Time };

    public override (ModelBatch Batch, Tensor Target) Train(int step, ScalarType type) => Windows(Ids("batches.starts")[step]);

    public override (ModelBatch Batch, Tensor Target) Test(ScalarType type)
        => Windows(arange((Ids("data.ids").shape[0] - 1) / Time, dtype: ScalarType.Int64) * Time);

    /// <summary>Tokens that the greedy continuation starts from.</summary>
    public long[] Prompt() => Ids("data.ids").data<long>().ToArray()[..10];

    private (ModelBatch Batch, Tensor Target) Windows(Tensor starts)
    {
        var windows = Ids("data.ids")[starts.unsqueeze(1) + arange(Time + 1, dtype: ScalarType.Int64)];   // [batch, time + 1]
        return (windows[.., ..Time], windows[.., 1..]);
    }
}

internal sealed class LstmCurve(GoldenTensors tensors, JsonElement options) : CharactersCurve(tensors, options)
{
    public override Model CreateModel() => ModelFamilies.Create(
        "lstm",
        new RecurrentModelOptions { Embedding = (int)StartShape("embedding.weight")[1], Hidden = (int)StartShape("lstm.weight_hh")[1] },
        Input((int)StartShape("embedding.weight")[0]));

    public override IEnumerable<(string Key, Tensor Value)> Weights() =>
    [
        ("embedding.weight", Start("embedding.weight")),
        ("recurrent.weight_ih_l0", Start("lstm.weight_ih")),
        ("recurrent.weight_hh_l0", Start("lstm.weight_hh")),
        ("recurrent.bias_ih_l0", Start("lstm.bias_ih_bias")),
        ("recurrent.bias_hh_l0", Start("lstm.bias_hh_bias")),
        .. Pair("head", "head"),
    ];
}

internal sealed class GptCurve(GoldenTensors tensors, JsonElement options) : CharactersCurve(tensors, options)
{
    public override Model CreateModel() => new Gpt(
        new()
        {
            Features = (int)StartShape("token_embedding.weight")[1],
            Layers = TransformerCurves.Layers(Tensors),
            Heads = (int)Options.Integer("heads", 2),
            HiddenFeatures = (int)StartShape("block0.up.weight")[0],
        },
        Input((int)StartShape("token_embedding.weight")[0]));

    public override IEnumerable<(string Key, Tensor Value)> Weights() => TransformerCurves.Weights(Tensors, Pair);
}

internal sealed class EncoderCurve(GoldenTensors tensors, JsonElement options) : FamilyCurve(tensors, options)
{
    private const long Padding = 5; // parts/curves.py, majority

    protected override double LabelSmoothing => 0.1; // parts/curves.py, Encoder.loss

    public override Model CreateModel() => new TransformerEncoderClassifier(
        new()
        {
            Features = (int)StartShape("token_embedding.weight")[1],
            Layers = TransformerCurves.Layers(Tensors),
            Heads = (int)Options.Integer("heads", 2),
            HiddenFeatures = (int)StartShape("block0.up.weight")[0],
            Dropout = 0,
        },
        new()
        {
            Task = ModelTasks.TextClassification,
            Vocabulary = (int)StartShape("token_embedding.weight")[0],
            ContextLength = (int)StartShape("position_embedding.weight")[0],
            Outputs = (int)StartShape("head.weight")[0],
        });

    public override IEnumerable<(string Key, Tensor Value)> Weights() => [.. TransformerCurves.Weights(Tensors, Pair), .. Pair("head", "head")];

    public override (ModelBatch Batch, Tensor Target) Train(int step, ScalarType type) => (Masked(Ids("data.train.x")[Rows(step)]), Ids("data.train.y")[Rows(step)]);

    public override (ModelBatch Batch, Tensor Target) Test(ScalarType type) => (Masked(Ids("data.test.x")), Ids("data.test.y"));

    private static ModelBatch Masked(Tensor ids) => new(ids, Mask: ids.ne(Padding));
}

/// <summary>What both transformers share.</summary>
internal static class TransformerCurves
{
    public static int Layers(GoldenTensors tensors) => tensors.Keys.Count(key => key.StartsWith("start.block", StringComparison.Ordinal) && key.EndsWith(".up.weight", StringComparison.Ordinal));

    public static IEnumerable<(string Key, Tensor Value)> Weights(GoldenTensors tensors, Func<string, string, IEnumerable<(string Key, Tensor Value)>> pair)
    {
        List<(string Key, Tensor Value)> weights =
        [
            ("embedding.token.weight", tensors.Tensor("start.token_embedding.weight")),
            ("embedding.position", tensors.Tensor("start.position_embedding.weight")),
            .. pair("norm", "final_norm"),
        ];
        for (var i = 0; i < Layers(tensors); i++)
        {
            foreach (var part in (string[])["weight", "bias"])
            {
                weights.Add(($"blocks.{i}.attention.qkv.{part}", cat([.. ((string[])["query", "key", "value"]).Select(name => tensors.Tensor($"start.block{i}.{name}.{part}"))])));
            }
            weights.AddRange(pair($"blocks.{i}.attention.output", $"block{i}.out"));
            weights.AddRange(pair($"blocks.{i}.feedForward.up", $"block{i}.up"));
            weights.AddRange(pair($"blocks.{i}.feedForward.down", $"block{i}.down"));
            weights.AddRange(pair($"blocks.{i}.attentionNorm", $"block{i}.attention_norm"));
            weights.AddRange(pair($"blocks.{i}.feedForwardNorm", $"block{i}.feed_norm"));
        }
        return weights;
    }
}
