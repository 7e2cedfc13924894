using System.Runtime.InteropServices;
using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>The switch, on maximum unpooling, which libtorch refuses on any device.</summary>
[LeaksNoTensors]
public sealed class DeterministicKernelsTests
{
    [Fact]
    public void Use_RefusesWhatHasNoDeterministicKernel_UntilNobodyNeedsIt()
    {
        Unpool();
        using (DeterministicKernels.Use(DeviceType.CUDA))
        {
            Assert.True(DeterministicKernels.AreOn);
            using (DeterministicKernels.Use(DeviceType.CUDA))
            {
                Assert.True(DeterministicKernels.IsRefusal(Assert.ThrowsAny<ExternalException>(Unpool)));
            }
            Assert.ThrowsAny<ExternalException>(Unpool); // the outer one still uses them
        }
        Assert.False(DeterministicKernels.AreOn);
        Unpool();
    }

    [Fact]
    public void GiveUp_LastsUntilNobodyUsesThem()
    {
        using (DeterministicKernels.Use(DeviceType.CUDA))
        {
            DeterministicKernels.GiveUp();
            Assert.False(DeterministicKernels.AreOn);
            Unpool();
        }
        using (DeterministicKernels.Use(DeviceType.CUDA))
        {
            Assert.ThrowsAny<ExternalException>(Unpool);
        }
    }

    [Fact]
    public void Use_OnTheProcessor_ChangesNothing()
    {
        using (DeterministicKernels.Use(DeviceType.CPU))
        {
            Assert.False(DeterministicKernels.AreOn);
            Unpool();
        }
    }

    [Fact]
    public void IsRefusal_OfAnotherError_IsFalse()
    {
        using var scope = NewDisposeScope();
        Assert.False(DeterministicKernels.IsRefusal(Assert.ThrowsAny<ExternalException>(() => ones(2) + ones(3))));
        Assert.False(DeterministicKernels.IsRefusal(new InvalidOperationException("does not have a deterministic implementation")));
    }

    private static void Unpool()
    {
        using var scope = NewDisposeScope();
        nn.functional.max_unpool2d(ones(1, 1, 1, 1), zeros(1, 1, 1, 1, dtype: ScalarType.Int64), [2, 2]);
    }
}
