using System.Text.Json;
using static TorchSharp.torch.nn;

namespace Nabla.Nn.Tests;

/// <summary>Values and gradients of losses against torch, in both precisions, on fused and plain paths. The kind and its options come from the files.</summary>
public sealed class LossesGoldenTests
{
    private delegate Tensor Run(Func<string, Tensor?> input, JsonElement options);

    private static readonly Dictionary<string, Run> Kinds = new()
    {
        ["cross_entropy"] = (t, o) => LossFunctions.CrossEntropy(t("input")!, t("target")!, t("weight"), o.Number("label_smoothing", 0), o.Integer("ignore_index", -100), Combine(o), 1),
        ["nll_loss"] = (t, o) => LossFunctions.NegativeLogLikelihood(t("input")!, t("target")!, t("weight"), o.Integer("ignore_index", -100), Combine(o), 1),
        ["binary_cross_entropy_with_logits"] = (t, o) => LossFunctions.BinaryCrossEntropy(t("input")!, t("target")!, t("pos_weight"), t("weight"), reduction: Combine(o)),
        ["binary_cross_entropy"] = (t, o) => LossFunctions.BinaryCrossEntropyOnProbabilities(t("input")!, t("target")!, Combine(o)),
        ["focal"] = (t, o) => LossFunctions.Focal(t("x")!, t("y")!, o.Number("gamma", 2), o.Get("alpha")?.GetDouble(), Combine(o)),
        ["focal_softmax"] = (t, o) => LossFunctions.FocalOfClasses(t("x")!, t("y")!, o.Number("gamma", 2), t("weight")),
        ["kl_div"] = (t, o) => LossFunctions.KullbackLeibler(t("input")!, t("target")!, o.Boolean("log_target", false), o.Text("reduction", "mean") == "batchmean", Combine(o)),
        ["huber_loss"] = (t, o) => LossFunctions.Huber(t("input")!, t("target")!, o.Number("delta", 1), Combine(o)),
        ["smooth_l1_loss"] = (t, o) => LossFunctions.SmoothL1(t("input")!, t("target")!, o.Number("beta", 1), Combine(o)),
        ["mse_loss"] = (t, o) => LossFunctions.MeanSquaredError(t("input")!, t("target")!, Combine(o)),
        ["l1_loss"] = (t, o) => LossFunctions.MeanAbsoluteError(t("input")!, t("target")!, Combine(o)),
        ["log_cosh"] = (t, o) => LossFunctions.LogCosh(t("x")!, t("y")!, Combine(o)),
        ["poisson_nll_loss"] = (t, o) => LossFunctions.PoissonNegativeLogLikelihood(t("input")!, t("target")!, o.Boolean("log_input", true), o.Boolean("full", false), Combine(o)),
        ["gaussian_nll_loss"] = (t, o) => LossFunctions.GaussianNegativeLogLikelihood(t("input")!, t("target")!, t("var")!, o.Boolean("full", false), reduction: Combine(o)),
        ["triplet_margin_loss"] = (t, o) => LossFunctions.Triplet(t("anchor")!, t("positive")!, t("negative")!, o.Number("margin", 1), o.Number("p", 2), o.Boolean("swap", false), Combine(o)),
        ["clip_loss"] = (t, _) => LossFunctions.ContrastiveMatching(t("a")!, t("b")!, t("log_scale")!),
        ["nt_xent"] = (t, o) => LossFunctions.NormalizedTemperatureCrossEntropy(t("a")!, t("b")!, o.Number("temperature", 1)),
        ["info_nce"] = (t, o) => LossFunctions.InfoNce(t("q")!, t("k")!, t("negatives")!, o.Number("temperature", 1)),
        ["contrastive_pair"] = (t, o) => LossFunctions.ContrastivePairs(t("a")!, t("b")!, t("same")!, o.Number("margin", 1)),
        ["cosine_embedding_loss"] = (t, o) => LossFunctions.CosineEmbedding(t("input1")!, t("input2")!, t("target")!, o.Number("margin", 0), Combine(o)),
        ["margin_ranking_loss"] = (t, o) => LossFunctions.MarginRanking(t("input1")!, t("input2")!, t("target")!, o.Number("margin", 0), Combine(o)),
        ["hinge"] = (t, o) => LossFunctions.Hinge(t("x")!, t("y")!, false, Combine(o)),
        ["squared_hinge"] = (t, o) => LossFunctions.Hinge(t("x")!, t("y")!, true, Combine(o)),
        ["hinge_embedding_loss"] = (t, o) => LossFunctions.HingeEmbedding(t("input")!, t("target")!, o.Number("margin", 1), Combine(o)),
        ["multilabel_soft_margin_loss"] = (t, o) => LossFunctions.MultiLabelSoftMargin(t("input")!, t("target")!, t("weight"), Combine(o)),
        ["multi_margin_loss"] = (t, o) => LossFunctions.MultiMargin(t("input")!, t("target")!, (int)o.Number("p", 1), o.Number("margin", 1), t("weight"), Combine(o)),
        ["soft_margin_loss"] = (t, o) => LossFunctions.SoftMargin(t("input")!, t("target")!, Combine(o)),
        ["dice"] = (t, o) => LossFunctions.Dice(t("x")!, t("y")!, o.Number("smooth", 1), o.Boolean("square", false), o.Boolean("per_channel", true)),
        ["iou"] = (t, _) => LossFunctions.Boxes("iou", t("a")!, t("b")!),
        ["giou"] = (t, _) => LossFunctions.Boxes("giou", t("a")!, t("b")!),
        ["diou"] = (t, _) => LossFunctions.Boxes("diou", t("a")!, t("b")!),
        ["ciou"] = (t, _) => LossFunctions.Boxes("ciou", t("a")!, t("b")!),
        ["pinball"] = (t, o) => LossFunctions.Pinball(t("x")!, t("y")!, [.. o.GetProperty("quantiles").EnumerateArray().Select(q => q.GetDouble())], Combine(o)),
        ["distillation"] = (t, o) => LossFunctions.Distillation(t("student")!, t("teacher")!, t("y")!, o.Number("temperature", 1), o.Number("mix", 0.5)),
        ["z_loss"] = (t, o) => LossFunctions.LogPartition(t("x")!, o.Number("coefficient", 1)),
        ["ctc_loss"] = (t, o) => Ctc(t("log_probs")!, t, o),
        ["ctc_logits"] = (t, o) => Ctc(t("input")!.log_softmax(-1), t, o),
    };

    public static IEnumerable<TheoryDataRow<GoldenCase>> Cases => Golden.Rows("training/losses");

    [Theory, MemberData(nameof(Cases), DisableDiscoveryEnumeration = true), LeaksNoTensors]
    public void Loss_OnReferenceInputs_GivesReferenceValueAndGradients(GoldenCase golden)
    {
        var kind = golden.Text("loss")!;
        Assert.SkipUnless(Kinds.TryGetValue(kind, out var run), $"loss '{kind}' is not implemented");
        foreach (var isFused in (bool[])[true, false])
        {
            using var path = FusedOperations.Use(isFused);
            foreach (var type in GoldenComparison.Types)
            {
                Check(golden, run!, type);
            }
        }
    }

    private static void Check(GoldenCase golden, Run run, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var differentiated = golden.Json.GetProperty("gradients").EnumerateArray().Select(name => name.GetString()!).ToList();
        Dictionary<string, Tensor> inputs = [];
        foreach (var name in golden.Json.GetProperty("inputs").EnumerateArray().Select(name => name.GetString()!))
        {
            var tensor = golden.Tensor(name);
            inputs[name] = tensor.is_floating_point() ? tensor.to(type) : tensor;
            if (differentiated.Contains(name))
            {
                inputs[name] = inputs[name].detach().requires_grad_();
            }
        }

        var value = run(name => inputs.GetValueOrDefault(name), golden.Options);

        GoldenComparison.Compare(golden, "value", value.detach());
        if (value.numel() > 0)
        {
            value.sum().backward();
        }
        foreach (var name in differentiated)
        {
            GoldenComparison.Compare(golden, "gradient." + name, inputs[name].grad ?? torch.zeros_like(inputs[name]));
        }
    }

    private static Tensor Ctc(Tensor logProbabilities, Func<string, Tensor?> t, JsonElement options) => LossFunctions.ConnectionistTemporal(
        logProbabilities, t("targets")!, t("input_lengths")!, t("target_lengths")!, options.Integer("blank", 0), options.Boolean("zero_infinity", false), Combine(options));

    private static Reduction Combine(JsonElement options) => options.Text("reduction", "mean") switch
    {
        "none" => Reduction.None,
        "sum" => Reduction.Sum,
        _ => Reduction.Mean,
    };
}
