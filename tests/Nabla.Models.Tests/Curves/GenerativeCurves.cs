using System.Text.Json;
using Nabla.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Nabla.Models.Tests;

/// <summary>A variational autoencoder of digits (parts/curves.py, Vae): no family stands for it, so it is made of our layers and losses here.</summary>
internal sealed class VaeCurve(GoldenTensors tensors, JsonElement options) : CurveProblem(tensors, options)
{
    public override nn.Module Create() => new Network((int)StartShape("encode.weight")[1], (int)StartShape("encode.weight")[0], (int)StartShape("mean.weight")[0]);

    public override IEnumerable<(string Key, Tensor Value)> Weights()
        => [.. Pair("encode", "encode"), .. Pair("mean", "mean"), .. Pair("logVariance", "log_variance"), .. Pair("decode1", "decode1"), .. Pair("decode2", "decode2")];

    public override Tensor Loss(nn.Module model, int step, ScalarType type)
    {
        var (reconstruction, divergence) = Parts(model, Pictures("data.train.pixels", type)[Rows(step)], Tensors.Tensor("batches.noise")[step].to(type));
        return reconstruction + divergence;
    }

    public override double? Measure(nn.Module model, string name, ScalarType type)
    {
        var x = Pictures("data.test.pixels", type);
        var (reconstruction, divergence) = Parts(model, x, zeros([x.shape[0], StartShape("mean.weight")[0]], type));
        return name switch { "reconstruction" => reconstruction.ToDouble(), "kl" => divergence.ToDouble(), _ => null };
    }

    private static (Tensor Reconstruction, Tensor Divergence) Parts(nn.Module model, Tensor x, Tensor noise)
    {
        var (logits, mean, logVariance) = ((Network)model).call(x, noise);
        return (LossFunctions.BinaryCrossEntropy(logits, x, reduction: Reduction.None).sum(1).mean(), LossFunctions.StandardNormalDivergence(mean, logVariance));
    }

    private Tensor Pictures(string name, ScalarType type) => Tensors.Tensor(name).flatten(1).to(type).div(16); // [examples, 64]

    private sealed class Network : Module<Tensor, Tensor, (Tensor Logits, Tensor Mean, Tensor LogVariance)>
    {
        private readonly Linear encode, mean, logVariance, decode1, decode2;

        public Network(int pixels, int hidden, int latent)
            : base(nameof(Network))
        {
            (encode, mean, logVariance) = (Linear(pixels, hidden), Linear(hidden, latent), Linear(hidden, latent));
            (decode1, decode2) = (Linear(latent, hidden), Linear(hidden, pixels));
            RegisterComponents();
        }

        public override (Tensor Logits, Tensor Mean, Tensor LogVariance) forward(Tensor x, Tensor noise)
        {
            var inside = encode.call(x).tanh();
            var (m, v) = (mean.call(inside), logVariance.call(inside));
            return (decode2.call(decode1.call(m + ((v / 2).exp() * noise)).tanh()), m, v);
        }
    }
}

/// <summary>Noise prediction for digits (parts/curves.py, Ddpm).</summary>
internal sealed class DdpmCurve(GoldenTensors tensors, JsonElement options) : CurveProblem(tensors, options)
{
    private const int Steps = 100; // parts/curves.py, Ddpm.alphas

    public override nn.Module Create() => new Network((int)StartShape("layer3.weight")[0], (int)(StartShape("layer1.weight")[1] - StartShape("layer3.weight")[0]), (int)StartShape("layer1.weight")[0]);

    public override IEnumerable<(string Key, Tensor Value)> Weights() => [.. Pair("layer1", "layer1"), .. Pair("layer2", "layer2"), .. Pair("layer3", "layer3")];

    public override Tensor Loss(nn.Module model, int step, ScalarType type)
        => Loss(model, Pictures("data.train.pixels", type)[Rows(step)], Ids("batches.timesteps")[step], Tensors.Tensor("batches.noise")[step].to(type));

    public override double? Measure(nn.Module model, string name, ScalarType type)
    {
        var x = Pictures("data.test.pixels", type);
        var noise = arange(x.numel(), ScalarType.Float64).cos().reshape(x.shape).to(type);
        return name == "loss_with_cosine_noise" ? Loss(model, x, arange(x.shape[0], ScalarType.Int64) % Steps, noise).ToDouble() : null;
    }

    private Tensor Loss(nn.Module model, Tensor x, Tensor times, Tensor noise)
    {
        var kept = Kept().to(x.dtype)[times].unsqueeze(1); // [batch, 1]
        var noisy = (kept.sqrt() * x) + ((1 - kept).sqrt() * noise);
        return LossFunctions.MeanSquaredError(((Network)model).call(noisy, times.to(x.dtype)), noise);
    }

    /// <summary>Share of the picture's variance that is left after each step.</summary>
    private Tensor Kept()
    {
        if (Options.Text("schedule", "linear") == "linear")
        {
            return (1 - linspace(1e-3, 0.1, Steps, ScalarType.Float64)).cumprod(0);
        }
        var shares = (((arange(Steps + 1, ScalarType.Float64) / Steps) + 0.008) / 1.008 * Math.PI / 2).cos().square();
        return (1 - (1 - (shares[1..] / shares[..^1])).clamp_max(0.999)).cumprod(0);
    }

    private Tensor Pictures(string name, ScalarType type) => (Tensors.Tensor(name).flatten(1).to(type) / 8) - 1; // [examples, 64]

    private sealed class Network : Module<Tensor, Tensor, Tensor>
    {
        private readonly Linear layer1, layer2, layer3;
        private readonly int _timeFeatures;

        public Network(int pixels, int timeFeatures, int hidden)
            : base(nameof(Network))
        {
            _timeFeatures = timeFeatures;
            (layer1, layer2, layer3) = (Linear(pixels + timeFeatures, hidden), Linear(hidden, hidden), Linear(hidden, pixels));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor times)
        {
            var input = cat([x, TimeEmbedding.Create(times, _timeFeatures)], 1); // [batch, pixels + timeFeatures]
            return layer3.call(functional.silu(layer2.call(functional.silu(layer1.call(input)))));
        }
    }
}
