using static TorchSharp.torch.nn;

namespace Nabla.Core.Tests;

/// <summary>The functions of the golden autodiff files, by the text that describes them there. A text that is missing is skipped by the test, with it.</summary>
internal static class AutodiffFunctions
{
    /// <summary>From five numbers to one (functions.json).</summary>
    public static Dictionary<string, Func<Tensor, Tensor>> Scalar { get; } = new()
    {
        ["sum x^2 / 2"] = x => (x * x).sum() * 0.5,
        ["sum x^3"] = x => x.pow(3).sum(),
        ["sum 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2"] = x => ((100 * (Tail(x) - Head(x).square()).square()) + (1 - Head(x)).square()).sum(),
        ["log sum exp x; gradient softmax"] = x => x.logsumexp(0),
        ["|x|; gradient x/|x|"] = x => x.norm(),
        ["sum |x|"] = x => x.abs().sum(),
        ["max |x|"] = x => x.abs().max(),
        ["product of x; gradient product / x"] = x => x.prod(),
        ["-sum x log x"] = x => -(x * x.log()).sum(),
        ["log det(I + x x')"] = x => (x.outer(x) + torch.eye(x.shape[0], dtype: x.dtype)).logdet(),
        ["sum softplus"] = x => functional.softplus(x).sum(),
        ["exp(-|x|^2 / 2)"] = x => ((x * x).sum() * -0.5).exp(),
        ["unbiased variance of 5 values"] = x => x.var(),
        ["sum 1 / (1 + x^2)"] = x => (1 / (1 + (x * x))).sum(),
        ["sum x^2.5"] = x => x.pow(2.5).sum(),
        ["x01' [[1,2],[3,4]] x23 + x4^2"] = x => x.narrow(0, 0, 2).dot(torch.tensor(new double[,] { { 1, 2 }, { 3, 4 } }, x.dtype).mv(x.narrow(0, 2, 2))) + x[4].square(),
        ["sum sin x[i] cos x[i+1]"] = x => Head(x).sin().dot(Tail(x).cos()),
        ["sum erf"] = x => x.erf().sum(),
        ["sum log Gamma; gradient digamma"] = x => x.lgamma().sum(),
        ["trace (diag x + 0.1 ones)^-1"] = x => torch.linalg.inv(torch.diag(x) + 0.1).trace(),
    };

    /// <summary>From five numbers to several (functions.json).</summary>
    public static Dictionary<string, Func<Tensor, Tensor>> Vector { get; } = new()
    {
        ["softmax"] = x => x.softmax(0),
        ["normalise"] = x => x / x.norm(),
        ["cumulative-sum"] = x => x.cumsum(0),
        ["layer-norm"] = x => functional.layer_norm(x, [5], null!, null!, 1e-5),
        ["sort"] = x => x.sort().Values,
        ["cross"] = x => x.narrow(0, 0, 2).outer(x.narrow(0, 2, 3)).flatten(),
    };

    /// <summary>From a few numbers to one, at kinks, zeros and infinities (traps.json).</summary>
    public static Dictionary<string, Func<Tensor, Tensor>> Traps { get; } = new()
    {
        ["|x|"] = x => x.norm(),
        ["sum|x|"] = x => x.norm(1f),
        ["sqrt(sum x^2)"] = x => (x * x).sum().sqrt(),
        ["sqrt(x)"] = x => x.sqrt().sum(),
        ["where(x > 0, sqrt(x), 0)"] = x => torch.where(x > 0, x.sqrt(), torch.zeros_like(x)).sum(),
        ["where(x > 0, sqrt(where(x > 0, x, 1)), 0)"] = x => torch.where(x > 0, torch.where(x > 0, x, torch.ones_like(x)).sqrt(), torch.zeros_like(x)).sum(),
        ["where(x > 0, log(x), 0)"] = x => torch.where(x > 0, x.log(), torch.zeros_like(x)).sum(),
        ["where(x != 0, 1/x, 0)"] = x => torch.where(x.ne(0), 1 / x, torch.zeros_like(x)).sum(),
        ["logsumexp"] = x => x.logsumexp(0),
        ["log(sum(exp))"] = x => x.exp().sum().log(),
        ["softplus"] = x => functional.softplus(x).sum(),
        ["log(1 + exp)"] = x => (1 + x.exp()).log().sum(),
        ["x^0.5"] = x => x.pow(0.5).sum(),
        ["x^0"] = x => x.pow(0).sum(),
        ["x^1"] = x => x.pow(1.0).sum(),
        ["0^x"] = x => torch.zeros_like(x).pow(x).sum(),
        ["max over all"] = x => x.max(),
        ["amax"] = x => x.amax([0]),
        ["max along an axis"] = x => x.max(0).values,
        ["maximum(x0, x1)"] = x => torch.maximum(x[0], x[1]),
        ["median of 4"] = x => x.median(),
        ["sort, first entry"] = x => x.sort(stable: true).Values[0],
        ["clamp(x, 0, 1)"] = x => x.clamp(0, 1).sum(),
        ["relu"] = x => functional.relu(x).sum(),
        ["relu6"] = x => functional.relu6(x).sum(),
        ["abs"] = x => x.abs().sum(),
        ["leaky relu"] = x => functional.leaky_relu(x, 0.1).sum(),
        ["hardtanh"] = x => SafeOps.HardTanh(x).sum(),
        ["prod"] = x => x.prod(),
        ["sum of cumprod"] = x => x.cumprod(0).sum(),
        ["unbiased variance of one value"] = x => x.var(),
        ["std of equal values"] = x => x.std(),
        ["F.normalize, first entry"] = x => functional.normalize(x, dim: 0)[0],
        ["cosine similarity with (1, 0)"] = x => functional.cosine_similarity(x, torch.tensor(new double[] { 1, 0 }, x.dtype), 0),
        ["atan2(x0, x1)"] = x => x[0].atan2(x[1]),
        ["hypot(x0, x1)"] = x => x[0].hypot(x[1]),
        ["acos"] = x => x.acos().sum(),
        ["xlogy(x, x)"] = x => x.xlogy(x).sum(),
        ["-x log x"] = x => -(x * x.log()).sum(),
        ["log sigmoid"] = x => functional.logsigmoid(x).sum(),
        ["log(sigmoid)"] = x => x.sigmoid().log().sum(),
        ["softmax, first entry"] = x => x.softmax(0)[0],
        ["mean of nothing"] = x => x.narrow(0, 0, 0).mean(),
        ["nansum"] = x => x.nansum(),
        ["max norm"] = x => x.norm(float.PositiveInfinity),
        ["floor"] = x => x.floor().sum(),
        ["x mod 2"] = x => x.remainder(2).sum(),
        ["lerp(x0, x1, 0.5)"] = x => x[0].lerp(x[1], torch.tensor(0.5, x.dtype)),
    };

    /// <summary>Activations of the networks whose gradient is penalised (double-backward.json).</summary>
    public static Dictionary<string, Func<Tensor, Tensor>> Activations { get; } = new()
    {
        ["tanh"] = x => x.tanh(),
        ["softplus"] = x => functional.softplus(x),
        ["silu"] = x => functional.silu(x),
        ["relu"] = x => functional.relu(x),
        ["leaky_relu"] = x => functional.leaky_relu(x, 0.01),
    };

    private static Tensor Head(Tensor x) => x.narrow(0, 0, x.shape[0] - 1);

    private static Tensor Tail(Tensor x) => x.narrow(0, 1, x.shape[0] - 1);
}
