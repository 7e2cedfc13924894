using System.Reflection;

namespace Nabla.Models.Tests;

/// <summary>Models that compute activations again give the same bits as models that keep them, and need less memory.</summary>
public sealed class RecomputeTests
{
    /// <summary>Every family whose options offer it, in training mode with dropout where it has some.</summary>
    public static TheoryData<string, string> Families
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (var family in ModelFamilies.All.Where(family => family.OptionsType.GetProperty("Recompute") is not null))
            {
                rows.Add(family.Name, "float32");
                rows.Add(family.Name, "bfloat16-mixed");
            }
            return rows;
        }
    }

    [Fact]
    public void TheDeepFamilies_OfferIt()
        => Assert.Superset(new HashSet<string> { "gpt", "transformer", "resnet" }, Families.Select(row => row.Data.Item1).ToHashSet());

    [Theory, MemberData(nameof(Families))]
    public void OutputsGradientsAndBuffers_HaveTheSameBits(string family, string precision)
    {
        Assert.SkipWhen(precision != "float32" && !Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var plain = Create(family, recompute: false);
        using var recomputed = Create(family, recompute: true);
        using var scope = NewDisposeScope();

        var expected = Step(plain, precision);
        var before = TensorStatistics.Live;
        Dictionary<string, byte[]> actual;
        using (NewDisposeScope())
        {
            actual = Step(recomputed, precision);
            recomputed.zero_grad(set_to_none: true);
        }
        Assert.Equal(before, TensorStatistics.Live);

        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, bytes) in expected)
        {
            Assert.True(bytes.AsSpan().SequenceEqual(actual[name]), $"{family}: {name} differs.");
        }
    }

    [Fact]
    public void MemoryOfADeepGpt_Shrinks()
    {
        using var plain = DeepGpt(recompute: false);
        using var recomputed = DeepGpt(recompute: true);
        using var ids = randint(0, 65, [4, 128], ScalarType.Int64);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the heap's count is glibc's");

        var (kept, saved) = (KeptAfterForward(plain, ids), KeptAfterForward(recomputed, ids));

        TestContext.Current.SendDiagnosticMessage($"12 layers: {kept / 1e6:0.0} MB kept, {saved / 1e6:0.0} MB with recomputation");
        Assert.True(saved < 0.35 * kept, $"kept {kept:N0} bytes, recomputed {saved:N0}");
    }

    private static Gpt DeepGpt(bool recompute)
    {
        manual_seed(1);
        return new(new() { Layers = 12, Features = 64, Heads = 4, Dropout = 0.1, Recompute = recompute }, new() { Task = ModelTasks.LanguageModeling, Outputs = 65, Vocabulary = 65, ContextLength = 128 });
    }

    private static long KeptAfterForward(Model model, Tensor ids)
    {
        long kept = 0;
        for (var i = 0; i < 2; i++) // the first run makes what stays
        {
            using var scope = NewDisposeScope();
            var before = ProcessMemory.Live;
            var loss = model.call(ids).pow(2).mean();
            kept = ProcessMemory.Live - before;
            CallbackGuard.Backward(loss);
            model.zero_grad();
        }
        return kept;
    }

    private static Model Create(string name, bool recompute)
    {
        var example = FamilyExamples.All.First(example => example.Family == name);
        var options = example.Options.GetType().GetMethod("<Clone>$")!.Invoke(example.Options, null)!;
        Set("Recompute", recompute);
        Set("Dropout", 0.3);
        Set("AttentionDropout", 0.2);
        manual_seed(3);
        var model = ModelFamilies.Create(name, options, example.Input);
        model.train();
        return model;

        void Set(string property, object value) => options.GetType().GetProperty(property, BindingFlags.Public | BindingFlags.Instance)?.SetValue(options, value);
    }

    private static Dictionary<string, byte[]> Step(Model model, string precision)
    {
        var example = FamilyExamples.All.First(example => example.Input == model.Input);
        manual_seed(17);
        Tensor output;
        using (precision == "float32" ? default : Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
        {
            output = model.call(example.Batch(example.Inputs(4)));
        }
        var results = new Dictionary<string, byte[]> { ["output"] = Bytes(output.detach()) };
        CallbackGuard.Backward(output.to(ScalarType.Float32).pow(2).mean());
        foreach (var (name, parameter) in model.named_parameters())
        {
            results["gradient of " + name] = parameter.grad is { } gradient ? Bytes(gradient) : [];
        }
        foreach (var (name, buffer) in model.named_buffers())
        {
            results["buffer " + name] = Bytes(buffer);
        }
        results["next random numbers"] = Bytes(rand(4));
        return results;
    }

    private static byte[] Bytes(Tensor tensor) => tensor.contiguous().bytes.ToArray();
}
