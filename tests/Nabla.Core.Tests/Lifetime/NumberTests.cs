using System.Runtime.CompilerServices;

namespace Nabla.Core.Tests;

/// <summary>Numbers live as long as an operation needs them, and not for ever.</summary>
public sealed class NumberTests
{
    [Fact]
    public void Number_ThatNobodyElseHolds_OutlivesACollection()
    {
        var number = Make(0.5);
        Collect();
        Assert.True(number.IsAlive);
    }

    [Fact]
    public void Number_AfterManyOthers_IsLetGo()
    {
        var number = Make(0.5);
        for (var i = 0; i < Number.Held; i++)
        {
            Number.Of(i);
        }
        Collect();
        Assert.False(number.IsAlive);
    }

    [Fact]
    public void Number_OfEachKind_KeepsValueAndTypeOfTheResult()
    {
        using var whole = torch.tensor(new long[] { 4 });
        using var real = torch.tensor(new float[] { 4 });
        using var ofWhole = whole * Number.Of(3L);
        using var ofInt = whole * Number.Of(3);
        using var ofDouble = real * Number.Of(0.25);
        using var ofFloat = whole * Number.Of(0.25f);
        using var ofTruth = whole.eq(Number.Of(true));

        Assert.Equal((torch.ScalarType.Int64, 12L), (ofWhole.dtype, ofWhole.item<long>()));
        Assert.Equal((torch.ScalarType.Int64, 12L), (ofInt.dtype, ofInt.item<long>()));
        Assert.Equal((torch.ScalarType.Float32, 1f), (ofDouble.dtype, ofDouble.item<float>()));
        Assert.Equal((torch.ScalarType.Float32, 1f), (ofFloat.dtype, ofFloat.item<float>()));
        Assert.Equal((torch.ScalarType.Bool, false), (ofTruth.dtype, ofTruth.item<bool>()));
    }

    // A method of its own, so that no local of the test keeps the number.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Make(double value) => new(Number.Of(value));

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
