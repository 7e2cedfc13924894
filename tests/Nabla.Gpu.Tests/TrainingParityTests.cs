namespace Nabla.Gpu.Tests;

/// <summary>Optimisers, clipping, attention, the loader and memory on a GPU.</summary>
[Trait("Needs", "Gpu")]
public sealed class TrainingParityTests
{
    public static TheoryData<string> Optimizers => [.. OptimizerFactory.Names];

    [Theory, MemberData(nameof(Optimizers))]
    public void Optimizer_OfAnyName_GoesTheProcessorsWay(string name)
    {
        Gpu.Require();
        var (expected, actual) = (Steps(name, CPU), Steps(name, CUDA));

        TensorAssert.Close(expected, actual, 1e-4, 1e-4, name);
    }

    [Fact]
    public void Clipping_OnTheGpu_GivesTheProcessorsNorm()
    {
        var device = Gpu.Require();
        using var scope = NewDisposeScope();
        var values = Enumerable.Range(1, 5).Select(i => arange(i * 7, ScalarType.Float32).sin()).ToArray();
        var (here, there) = (Parameters(values, CPU), Parameters(values, device));

        var (expected, actual) = (Gradients.ClipNorm(here, 0.5), Gradients.ClipNorm(there, 0.5));
        Assert.Equal(expected.ToDouble(), actual.cpu().ToDouble(), 1e-4);
        foreach (var (left, right) in here.Zip(there))
        {
            TensorAssert.Close(left.grad!, right.grad!.cpu(), 1e-6, 1e-5, "clipped gradient");
        }
    }

    [Theory]
    [InlineData(false, 4), InlineData(true, 4), InlineData(true, 2), InlineData(false, 1)]
    public void Attention_OnTheGpu_GivesTheProcessorsAnswer(bool isCausal, long keyHeads)
    {
        var device = Gpu.Require();
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var q = randn([2, 4, 33, 16], generator: generator);
        var (k, v) = (randn([2, keyHeads, 33, 16], generator: generator), randn([2, keyHeads, 33, 16], generator: generator));
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 }) // in bfloat16 the flash kernel answers
        {
            var expected = SafeOps.ScaledDotProductAttention(q, k, v, isCausal: isCausal);
            var actual = SafeOps.ScaledDotProductAttention(q.to(device).to(type), k.to(device).to(type), v.to(device).to(type), isCausal: isCausal);
            var tolerance = type == ScalarType.Float32 ? 1e-4 : 3e-2;
            TensorAssert.Close(expected, actual.to(ScalarType.Float32).cpu(), tolerance, tolerance, $"{type}");
        }
    }

    [Fact]
    public void Loader_WithPinnedMemory_BringsTheSameBatches()
    {
        var device = Gpu.Require();
        using var source = new TensorSource([new(Batch.Inputs, arange(60, ScalarType.Float32).reshape(20, 3)), new(Batch.Targets, arange(20))]);
        IEnumerable<Batch> read(bool isPinned) => new Data.DataLoader(source, new() { BatchSize = 6, Shuffle = true, Seed = 3, PinMemory = isPinned }).ReadEpoch(1);
        foreach (var (plain, pinned) in read(false).Zip(read(true)))
        {
            Assert.True(pinned[Batch.Inputs].is_pinned());
            using var moved = pinned.MoveTo(device);
            Assert.Equal(plain[Batch.Inputs].data<float>().ToArray(), moved[Batch.Inputs].cpu().data<float>().ToArray());
            plain.Dispose();
        }
    }

    [Fact]
    public void Memory_OfTheDevice_IsTold()
    {
        var device = Gpu.Require();
        var before = DeviceMemory.Query(device);
        using var large = zeros([256, 1024, 1024], device: device); // 1 GiB
        var after = DeviceMemory.Query(device);

        Assert.NotNull(before);
        Assert.InRange(after!.Value.Used - before.Value.Used, 0.9 * (1L << 30), 1.5 * (1L << 30));
    }

    [Fact]
    public void OffloadedState_GoesTheGpusWay()
    {
        Gpu.Require();
        TensorAssert.Close(Steps("adamw", CUDA), Steps("adamw", CUDA, offload: true), 1e-6, 1e-6, "state on the processor");
    }

    [Fact]
    public void OperationWithoutDeterministicKernel_IsRefused_UntilGivenUp()
    {
        var device = Gpu.Require();
        using var scope = NewDisposeScope();
        using (DeterministicKernels.Use(device.type))
        {
            var refusal = Assert.ThrowsAny<System.Runtime.InteropServices.ExternalException>(() => nn.functional.max_unpool2d(ones([1, 1, 1, 1], device: device), zeros([1, 1, 1, 1], dtype: ScalarType.Int64, device: device), [2, 2]));
            Assert.True(DeterministicKernels.IsRefusal(refusal), refusal.Message);
            DeterministicKernels.GiveUp();
            nn.functional.max_unpool2d(ones([1, 1, 1, 1], device: device), zeros([1, 1, 1, 1], dtype: ScalarType.Int64, device: device), [2, 2]);
        }
    }

    private static TorchSharp.Modules.Parameter[] Parameters(IEnumerable<Tensor> gradients, Device device) => [.. gradients.Select(gradient =>
    {
        var parameter = new TorchSharp.Modules.Parameter(zeros_like(gradient).to(device));
        parameter.grad = gradient.to(device);
        return parameter;
    })];

    private static Tensor Steps(string name, Device device, bool offload = false)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var (x, y) = (randn([32, 6], generator: generator).to(device), randn([32, 3], generator: generator).to(device));
        var weight = new TorchSharp.Modules.Parameter(randn([3, 6], generator: generator).to(device));
        using var optimizer = OptimizerFactory.Create(new() { Name = name, LearningRate = 1e-2, Offload = offload }, new NamedParameter[] { new("weight", weight) });
        for (var step = 0; step < 10; step++)
        {
            if (optimizer.NeedsClosure)
            {
                optimizer.Step(Loss);
                continue;
            }
            Loss();
            optimizer.Step();
        }
        return weight.detach().cpu().MoveToOuterDisposeScope();

        double Loss()
        {
            optimizer.ZeroGradients();
            var loss = nn.functional.mse_loss(x.matmul(weight.t()), y);
            loss.backward();
            return loss.detach().cpu().item<float>();
        }
    }
}
