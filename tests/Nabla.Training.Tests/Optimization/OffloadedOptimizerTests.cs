namespace Nabla.Training.Tests;

/// <summary>The step on the host gives the bits of the plain one; the device is stood in for by the CPU.</summary>
public sealed class OffloadedOptimizerTests
{
    public static TheoryData<string> Names => [.. OptimizerFactory.Names.Where(name => name is not ("lbfgs" or "sparse-adam"))];

    [Theory, MemberData(nameof(Names))]
    public void Step_OnCopies_IsThePlainStep_AndItsStateGoesBothWays(string name)
    {
        using var scope = NewDisposeScope();
        var options = new OptimizerOptions { Name = name, LearningRate = 0.01, WeightDecay = OptimizerRule.All.Single(rule => rule.Name == name).TakesWeightDecay ? 0.1 : 0 };
        var (plainParameters, offloadedParameters) = (Parameters(), Parameters());
        using var plain = OptimizerFactory.Create(options, plainParameters);
        using var offloaded = Offload(options, offloadedParameters);
        for (var step = 0; step < 4; step++)
        {
            Move(plain, plainParameters, step);
            Move(offloaded, offloadedParameters, step);
            Same(plainParameters, offloadedParameters);
        }
        Assert.All(offloadedParameters, parameter => Assert.Null(parameter.Value.grad));

        // A fresh one goes on from the saved state, with parameters that were loaded by somebody else.
        var resumedParameters = Parameters();
        using var resumed = Offload(options, resumedParameters);
        resumed.LoadState(plain.State);
        using (no_grad())
        {
            foreach (var (to, from) in resumedParameters.Zip(plainParameters))
            {
                to.Value.copy_(from.Value);
            }
        }
        Move(plain, plainParameters, 9);
        Move(resumed, resumedParameters, 9);
        Same(plainParameters, resumedParameters);
    }

    [Fact]
    public void Create_OnTheCpu_TakesNoCopies()
    {
        using var scope = NewDisposeScope();
        using var optimizer = OptimizerFactory.Create(new() { Offload = true }, Parameters());
        Assert.IsNotType<OffloadedOptimizer>(optimizer);
    }

    private static OffloadedOptimizer Offload(OptimizerOptions options, IReadOnlyList<NamedParameter> parameters)
        => new(ParameterGrouping.Group(options, parameters), groups => OptimizerFactory.Create(options, groups));

    private static NamedParameter[] Parameters()
    {
        manual_seed(5);
        return [new("w", new(randn(4, 3))), new("b", new(randn(3))), new("unused", new(randn(2)))];
    }

    private static void Move(Optimizer optimizer, NamedParameter[] parameters, int step)
    {
        manual_seed(step);
        optimizer.LearningRate = 0.01 / (step + 1);
        foreach (var parameter in parameters.Where(parameter => parameter.Name != "unused"))
        {
            parameter.Value.grad = randn_like(parameter.Value);
        }
        optimizer.Step();
        optimizer.ZeroGradients();
    }

    private static void Same(NamedParameter[] expected, NamedParameter[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(expected[i].Value.bytes.SequenceEqual(actual[i].Value.bytes), expected[i].Name);
        }
    }
}
