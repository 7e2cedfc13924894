using Module = TorchSharp.torch.nn.Module;

namespace Nabla.Core.Tests;

public sealed class ModuleHooksTests
{
    [Fact]
    public void Hooks_SeeAndReplaceWhatPassesModulesOfSeveralSignatures_UntilTheyAreTakenAway()
    {
        NablaRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var one = new One();
        using var two = new Two();
        using var record = new Record();
        var watch = new Watch();
        var (x, y) = (ones(2), full(2, 3f));
        using (new ModuleHooks([one, two, record], watch))
        {
            Assert.Equal([22, 22], one.call(x).data<float>().ToArray());           // (1 + 10) * 2, and nothing after
            Assert.Equal([14, 14], two.call(x, y).data<float>().ToArray());        // 1 + 10 + 3
            Assert.Equal([11, 11], two.call(x, null).data<float>().ToArray());
            Assert.Equal([2, 2], record.call((x, 2)).data<float>().ToArray());     // no tensor comes in first
        }
        Assert.Equal([2, 2], one.call(x).data<float>().ToArray());
        Assert.Equal(["before One", "after One", "before Two", "after Two", "before Two", "after Two", "before Record", "after Record"], watch.Seen);
    }

    private sealed class Watch : IModuleObserver
    {
        public List<string> Seen { get; } = [];

        public Tensor? Before(Module module, Tensor? input)
        {
            Seen.Add($"before {module.GetName()}");
            return input is null ? null : input + 10;
        }

        public Tensor? After(Module module, Tensor? output)
        {
            Seen.Add($"after {module.GetName()}");
            return output;
        }
    }

    private sealed class One() : nn.Module<Tensor, Tensor>(nameof(One))
    {
        public override Tensor forward(Tensor input) => input * 2;
    }

    private sealed class Two() : nn.Module<Tensor, Tensor?, Tensor>(nameof(Two))
    {
        public override Tensor forward(Tensor input1, Tensor? input2) => input2 is null ? input1.clone() : input1 + input2;
    }

    private sealed class Record() : nn.Module<(Tensor Value, int Factor), Tensor>(nameof(Record))
    {
        public override Tensor forward((Tensor Value, int Factor) input) => input.Value * input.Factor;
    }
}
