using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core.Tests.Memory;

public sealed class TensorHeapTests
{
    private const long Floats = 3_000_000; // 12 MB
    private static bool IsExpected => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Environment.GetEnvironmentVariable("NABLA_ALLOCATOR") != "system";

    [Fact]
    public void LargeTensor_ComesFromItAndGoesBack()
    {
        RequireHeap();
        const long bytes = 1L << 34; // more than any other test holds; its pages are never touched
        var before = TensorHeap.BytesInUse;
        using (var large = torch.empty([bytes / 4]))
        {
            Assert.InRange(TensorHeap.BytesInUse - before, bytes / 2, bytes * 2);
            Assert.True(ProcessMemory.Live >= bytes);
        }
        Assert.True(TensorHeap.BytesInUse - before < bytes / 2);
    }

    [Fact]
    public void Tensor_OfAnySizeAroundTheBorder_HoldsItsEntries()
    {
        RequireHeap();
        List<(Tensor Tensor, long Count)> tensors = [];
        for (var count = 1L; count < 1_000_000; count = (count * 3 / 2) + 1)
        {
            tensors.Add((torch.arange(count, torch.int64), count));
        }
        foreach (var (tensor, count) in tensors)
        {
            Assert.Equal(count * (count - 1) / 2, tensor.sum().item<long>());
            Assert.Equal(0, (long)TensorMemoryAddress(tensor) % 64);
            tensor.Dispose();
        }
    }

    [Fact]
    public void HugeTensor_ThatNoMachineHas_IsAnException()
    {
        RequireHeap();
        var before = TensorHeap.BytesInUse;
        for (var i = 0; i < 3; i++)
        {
            var error = Assert.ThrowsAny<ExternalException>(() => torch.empty([1L << 52]));
            Assert.Contains("memory", error.Message, StringComparison.OrdinalIgnoreCase);
        }
        Assert.True(TensorHeap.BytesInUse - before < 1L << 50);
    }

    [Fact]
    public void Tensor_FreedOnAnotherThread_GoesBack()
    {
        RequireHeap();
        Parallel.For(0, 64, i =>
        {
            var tensor = torch.full([Floats / (1 + (i % 7))], i, torch.float32);
            Task.Run(() =>
            {
                Assert.Equal(i, tensor[^1].item<float>());
                tensor.Dispose();
            }).Wait();
        });
    }

    [Fact]
    public void Pause_LetsLibtorchAllocate()
    {
        RequireHeap();
        using (TensorHeap.Pause())
        {
            Assert.False(TensorHeap.IsActive);
            using var tensor = torch.ones([Floats]);
            using (TensorHeap.Pause())
            {
            }
            Assert.False(TensorHeap.IsActive);
            Assert.Equal(Floats, tensor.sum().item<float>());
            var before = TensorHeap.BytesInUse;
            using var huge = torch.empty([1L << 32]);
            Assert.True(TensorHeap.BytesInUse - before < 1L << 32);
        }
        Assert.True(TensorHeap.IsActive);
    }

    [Fact]
    public void Map_HugePages_AreCleanAndTheirOwn()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("mmap is asked on Linux only.");
        }
        HugePages pages = new();
        foreach (var bytes in new[] { 4096L, 260_000 / 4096 * 4096, 2 << 20, (5 << 20) + 4096 })
        {
            var start = pages.Map(bytes);
            unsafe
            {
                Span<byte> memory = new((void*)start, (int)bytes);
                Assert.Equal(-1, memory.IndexOfAnyExcept((byte)0));
                memory.Fill(1);
            }
            pages.Unmap(start, bytes);
        }
        Assert.Equal(0, pages.Map(long.MaxValue / 4096 * 4096));
    }

    private static void RequireHeap()
    {
        using var first = torch.zeros(1);
        if (!IsExpected)
        {
            Assert.Skip("The tensor heap needs Linux on x64, without NABLA_ALLOCATOR=system.");
        }
        Assert.True(TensorHeap.IsActive);
    }

    private static nint TensorMemoryAddress(Tensor tensor)
    {
        Assert.True(DenseMemory.TryFind(tensor, ScalarType.Int64, out var address, out _));
        return address;
    }
}
