namespace Nabla.Core.Tests;

public sealed class GuardTests
{
    [Fact]
    public void Gradients_OfUnusedInput_GivesNullAndGoesOn()
    {
        using var scope = NewDisposeScope();
        var (used, unused) = (ones(3, requires_grad: true), ones(2, requires_grad: true));

        var gradients = SafeAutograd.Gradients([(used * 2).sum()], [used, unused]);

        Assert.Equal([2f, 2f, 2f], gradients[0]!.data<float>().ToArray());
        Assert.Null(gradients[1]);
    }

    [Fact]
    public void Gradients_OfMatrixWithoutCotangent_IsAShapeError()
    {
        using var scope = NewDisposeScope();
        var x = ones(3, requires_grad: true);

        Assert.Throws<ShapeException>(() => SafeAutograd.Gradients([x * 2], [x]));
        Assert.Throws<ArgumentException>(() => SafeAutograd.Gradients([x.sum()], [ones(3)]));
        Assert.Throws<ArgumentException>(() => SafeAutograd.Gradients([ones(1)], [x]));
    }

    [Fact]
    public void Restore_OfWrongSize_IsRefused()
    {
        using var generator = new Generator(1);
        using var wrong = zeros(3, ScalarType.Byte);

        var error = Assert.Throws<CheckpointException>(() => GeneratorState.Restore(generator, wrong));
        Assert.Contains("[3]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_OfSavedState_RepeatsTheNumbers()
    {
        using var generator = new Generator(5);
        using var state = GeneratorState.Save(generator);
        using var first = rand(4, generator: generator);
        GeneratorState.Restore(generator, state);
        using var second = rand(4, generator: generator);

        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void ThrowIfCaught_AfterAFailingCallback_GivesItsOwnException()
    {
        CallbackGuard guard = new();

        Assert.Equal(7, guard.Protect(() => throw new InvalidOperationException("inside"), () => 7));
        Assert.Equal("inside", Assert.Throws<InvalidOperationException>(guard.ThrowIfCaught).Message);
        guard.ThrowIfCaught();
    }
}
