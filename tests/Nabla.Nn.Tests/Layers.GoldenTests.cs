namespace Nabla.Nn.Tests;

/// <summary>Outputs, gradients and buffers of layers against torch, in both precisions, on fused and plain paths. The kind and its options come from the files.</summary>
public sealed class LayersGoldenTests
{
    private static readonly string[] NotOutputs = ["input.", "param.", "buffer.", "grad.", "cotangent.", "naive.", "relative"];

    public static IEnumerable<TheoryDataRow<GoldenCase>> Cases => Golden.Rows("training/layers").Where(row => row.Data.File != "random");

    [Theory, MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Layer_OnReferenceInputs_GivesReferenceOutputsAndGradients(GoldenCase golden)
    {
        var kind = golden.Text("kind")!;
        Assert.SkipUnless(LayerKinds.All.TryGetValue(kind, out var run), $"layer '{kind}' is not implemented");
        foreach (var isFused in (bool[])[true, false])
        {
            using var path = FusedOperations.Use(isFused);
            foreach (var type in GoldenComparison.Types)
            {
                using var scope = NewDisposeScope();
                LayerCase @case = new(golden, type);
                var outputs = run!(@case);

                CompareOutputs(golden, @case, outputs);
                CompareGradients(golden, @case, outputs);
                CompareBuffers(golden, @case);
                CompareRewrittenParameters(golden, @case);
            }
        }
    }

    private static void CompareOutputs(GoldenCase golden, LayerCase @case, Dictionary<string, Tensor> outputs)
    {
        var expected = golden.Roles.Where(role => !NotOutputs.Any(start => role.StartsWith(start, StringComparison.Ordinal)))
            .Select(role => role.EndsWith(".f32", StringComparison.Ordinal) || role.EndsWith(".f64", StringComparison.Ordinal) ? role[..^4] : role).Distinct().ToList();
        Assert.NotEmpty(expected);
        foreach (var role in expected)
        {
            Assert.True(outputs.ContainsKey(role), $"{golden}: output '{role}' was not computed.");
            GoldenComparison.Compare(golden, role, outputs[role].detach(), @case.Rounding);
        }
    }

    private static void CompareGradients(GoldenCase golden, LayerCase @case, Dictionary<string, Tensor> outputs)
    {
        var wanted = golden.Roles.Where(role => role.StartsWith("grad.", StringComparison.Ordinal) && role.EndsWith(".f64", StringComparison.Ordinal)).Select(role => role[5..^4]).ToList();
        if (wanted.Count == 0)
        {
            return;
        }
        var total = torch.zeros([], @case.Type);
        foreach (var (name, output) in outputs.Where(named => named.Value.requires_grad && golden.Has("cotangent." + named.Key)))
        {
            total = total + (output * golden.Tensor("cotangent." + name).to(@case.Type)).sum();
        }
        if (total.requires_grad)
        {
            total.backward();
        }
        foreach (var name in wanted)
        {
            Assert.True(@case.Sources.ContainsKey(name), $"{golden}: '{name}' was not used.");
            var source = @case.Sources[name];
            GoldenComparison.Compare(golden, "grad." + name, source.grad ?? torch.zeros_like(source), @case.Rounding);
        }
    }

    private static void CompareBuffers(GoldenCase golden, LayerCase @case)
    {
        foreach (var role in golden.Roles.Where(role => role.StartsWith("buffer.", StringComparison.Ordinal) && role.Contains(".after", StringComparison.Ordinal) && !role.EndsWith(".f32", StringComparison.Ordinal)))
        {
            var name = role["buffer.".Length..role.IndexOf(".after", StringComparison.Ordinal)];
            if (@case.Buffers.TryGetValue(name, out var buffer))
            {
                GoldenComparison.Compare(golden, $"buffer.{name}.after", buffer.detach());
            }
            else
            {
                Assert.True(name == "num_batches_tracked", $"{golden}: buffer '{name}' was not kept."); // a function has no counter
            }
        }
    }

    private static void CompareRewrittenParameters(GoldenCase golden, LayerCase @case)
    {
        foreach (var role in golden.Roles.Where(role => role.StartsWith("param.", StringComparison.Ordinal) && role.EndsWith(".after.f64", StringComparison.Ordinal)))
        {
            var name = role[..^".after.f64".Length];
            GoldenComparison.Compare(golden, name + ".after", @case.Sources[name].detach(), @case.Rounding);
        }
    }
}
