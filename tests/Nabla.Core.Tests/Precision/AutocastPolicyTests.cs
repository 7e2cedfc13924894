using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>Which type each kind of operation computes in under autocast on the CPU, as docs/performance.md says.</summary>
[LeaksNoTensors]
public sealed class AutocastPolicyTests
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Operations = new(StringComparer.Ordinal)
    {
        ["linear"] = x => nn.functional.linear(x, x),
        ["mm"] = x => x.mm(x),
        ["bmm"] = x => x.unsqueeze(0).bmm(x.unsqueeze(0)),
        ["matmul"] = x => SafeOps.MatMul(x.unsqueeze(0), x),
        ["conv2d"] = x => nn.functional.conv2d(x.view(1, 1, 4, 4), x.view(1, 1, 4, 4)),
        ["attention"] = x => nn.functional.scaled_dot_product_attention(x.view(1, 1, 4, 4), x.view(1, 1, 4, 4), x.view(1, 1, 4, 4)),
        ["softmax"] = x => x.softmax(-1),
        ["layer_norm"] = x => nn.functional.layer_norm(x, [4]),
        ["gelu"] = x => nn.functional.gelu(x),
        ["add"] = x => x + x,
        ["sum"] = x => x.sum(),
        ["exp"] = x => x.exp(),
        ["cross_entropy"] = x => nn.functional.cross_entropy(x, arange(4)),
        ["mse_loss"] = x => nn.functional.mse_loss(x, x),
        ["prod"] = x => x.prod(),
    };

    [Theory]
    [InlineData("linear", ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData("mm", ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData("bmm", ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData("matmul", ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData("conv2d", ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData("attention", ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData("softmax", ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("layer_norm", ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("gelu", ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("add", ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("sum", ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("exp", ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("cross_entropy", ScalarType.Float32, ScalarType.Float32)]
    [InlineData("mse_loss", ScalarType.Float32, ScalarType.Float32)]
    [InlineData("prod", ScalarType.Float32, ScalarType.Float32)]
    public void Operation_UnderAutocast_ComputesInItsType(string operation, ScalarType ofFloat32, ScalarType ofBFloat16)
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var scope = NewDisposeScope();
        var x = randn(4, 4);
        using var autocast = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        Assert.Equal(ofFloat32, Operations[operation](x).dtype);
        Assert.Equal(ofBFloat16, Operations[operation](x.to(ScalarType.BFloat16)).dtype);
    }

    [Fact]
    public void CatOfBothTypes_UnderAutocast_TakesTheWidest()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var scope = NewDisposeScope();
        var x = randn(4, 4);
        using var autocast = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        Assert.Equal(ScalarType.Float32, cat([x, x.to(ScalarType.BFloat16)]).dtype);
    }

    [Fact]
    public void FusedOps_UnderAutocast_ComputeInFloat32AndStoreWhatReadersTake()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var scope = NewDisposeScope();
        var (x, w) = (randn(4, 4), ones(4));
        using var autocast = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, FusedOps.LayerNorm(x, w, w, 1e-5, isForProduct: true).dtype);
        Assert.Equal(ScalarType.Float32, FusedOps.LayerNorm(x, w, w, 1e-5, isForProduct: false).dtype);
        Assert.Equal(ScalarType.Float32, FusedOps.AddBranch(x, x.to(ScalarType.BFloat16), w, 0.1).dtype);
        Assert.Equal(ScalarType.BFloat16, FusedOps.Activate(x.to(ScalarType.BFloat16), w, "gelu", 0.1).dtype);
    }
}
