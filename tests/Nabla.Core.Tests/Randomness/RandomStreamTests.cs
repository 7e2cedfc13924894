using CsCheck;

namespace Nabla.Core.Tests;

public sealed class RandomStreamTests
{
    private const int Draws = 200_000;

    [Fact]
    public void At_SamePlace_GivesSameNumbers() => Gen.Select(Gen.Long, Gen.Long[0, 1000], Gen.Long[0, 1000]).Sample((seed, epoch, batch) =>
        Numbers(RandomStream.At(seed, RandomPurpose.Order, epoch, batch)).SequenceEqual(Numbers(RandomStream.At(seed, RandomPurpose.Order, epoch, batch))));

    [Fact]
    public void At_OtherPlacePurposeOrSeed_GivesOtherNumbers()
    {
        var places = new[]
        {
            RandomStream.At(1, RandomPurpose.Order, 0, 0), RandomStream.At(1, RandomPurpose.Order, 0, 1), RandomStream.At(1, RandomPurpose.Order, 1, 0),
            RandomStream.At(1, RandomPurpose.Order, 0), RandomStream.At(1, RandomPurpose.Order), RandomStream.At(1, RandomPurpose.Step, 0, 0), RandomStream.At(2, RandomPurpose.Order, 0, 0),
        };

        Assert.Equal(places.Length, places.Select(place => place.NextBits()).Distinct().Count());
    }

    [Fact]
    public void NextDouble_Has_UniformMoments()
    {
        var random = RandomStream.At(7, RandomPurpose.Other);
        var values = Enumerable.Range(0, Draws).Select(_ => random.NextDouble()).ToArray();

        Assert.All(values, value => Assert.InRange(value, 0, 0.9999999999999999));
        CheckMoments(values, mean: 0.5, variance: 1.0 / 12);
    }

    [Fact]
    public void NextNormal_Has_StandardMoments()
    {
        var random = RandomStream.At(8, RandomPurpose.Other);
        CheckMoments([.. Enumerable.Range(0, Draws).Select(_ => random.NextNormal())], mean: 0, variance: 1);
    }

    [Theory]
    [InlineData(0.3, 0.3)]
    [InlineData(2, 5)]
    public void NextBeta_Has_ItsMoments(double alpha, double beta)
    {
        var random = RandomStream.At(9, RandomPurpose.Other);
        var total = alpha + beta;
        CheckMoments([.. Enumerable.Range(0, Draws).Select(_ => random.NextBeta(alpha, beta))], alpha / total, alpha * beta / (total * total * (total + 1)));
    }

    [Fact]
    public void NextLong_IsUniform_ForASmallBound()
    {
        var random = RandomStream.At(10, RandomPurpose.Other);
        var counts = new int[7];
        for (var i = 0; i < Draws; i++)
        {
            counts[random.NextLong(7)]++;
        }
        var expected = Draws / 7.0;
        var chiSquare = counts.Sum(count => (count - expected) * (count - expected) / expected);
        Assert.True(chiSquare < 27.9, $"chi-square with 6 degrees of freedom is {chiSquare}; 27.9 is its 99.99 % point");
    }

    [Fact]
    public void Permutation_HoldsEachNumberOnce() => Gen.Select(Gen.Long[0, 300], Gen.Long).Sample((count, seed) =>
        RandomStream.At(seed, RandomPurpose.Order).Permutation(count).Order().SequenceEqual(Enumerable.Range(0, (int)count).Select(i => (long)i)));

    [Fact]
    public void SeedAt_IsNeverNegative() => Gen.Long.Sample(seed => RandomStream.SeedAt(seed, RandomPurpose.Step, 3) >= 0);

    [Fact]
    public void SetGlobal_SamePlace_GivesSameTensors()
    {
        float[] Draw(long step)
        {
            Seeds.SetGlobal(1, RandomPurpose.Step, step);
            using var values = rand(8);
            return values.data<float>().ToArray();
        }

        Assert.Equal(Draw(3), Draw(3));
        Assert.NotEqual(Draw(3), Draw(4));
    }

    private static ulong[] Numbers(RandomStream stream) => [.. Enumerable.Range(0, 16).Select(_ => stream.NextBits())];

    private static void CheckMoments(double[] values, double mean, double variance)
    {
        var actualMean = values.Average();
        var actualVariance = values.Select(value => (value - actualMean) * (value - actualMean)).Average();
        Assert.Equal(mean, actualMean, 5 * Math.Sqrt(variance / values.Length));
        Assert.Equal(variance, actualVariance, 0.02 * Math.Max(variance, 0.05));
    }
}
