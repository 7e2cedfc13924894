using System.Security.Cryptography;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class ShapesGeneratorTests
{
    [Fact]
    public void Generate_IsTheSameBitsEverywhere()
    {
        var pictures = new ShapesGenerator(new() { Train = 64 }).Generate(ShapesSplit.Train);
        // Recorded from this generator; another value means that everybody's shapes have changed.
        Assert.Equal("9817a7336f7d2ffbc479ef9fe1b150ff4885e425e238614dd5918788e479c0a9", Convert.ToHexStringLower(SHA256.HashData(pictures.Pixels)));
    }

    [Fact]
    public void Draw_DependsOnSeedSplitAndIndexAlone()
    {
        var generator = new ShapesGenerator(new() { Train = 20, Test = 10, Size = 24, Seed = 5 });
        var (train, test) = (generator.Generate(ShapesSplit.Train), generator.Generate(ShapesSplit.Test));
        var picture = new byte[3 * 24 * 24];
        var label = new ShapesGenerator(new() { Train = 3, Size = 24, Seed = 5 }).Draw(ShapesSplit.Train, 17, picture);
        Assert.Equal(train.Pixels[(17 * picture.Length)..(18 * picture.Length)], picture);
        Assert.Equal(train.Classes[17], label);
        Assert.NotEqual(train.Pixels[..picture.Length], test.Pixels[..picture.Length]);
        Assert.NotEqual(train.Pixels, new ShapesGenerator(new() { Train = 20, Size = 24, Seed = 6 }).Generate(ShapesSplit.Train).Pixels);
    }

    [Fact]
    public void Generate_HasEquallyManyPicturesOfEachClass()
    {
        var classes = new ShapesGenerator(new() { Train = 80 }).Generate(ShapesSplit.Train).Classes;
        Assert.Equal(Enumerable.Repeat(10, 8), classes.GroupBy(c => c).OrderBy(g => g.Key).Select(g => g.Count()));
        Assert.Equal(8, ShapesGenerator.ClassNames.Distinct().Count());
    }

    /// <summary>The best guess from the mean colour of a picture must be hardly better than the guess of one class.</summary>
    [Fact]
    public void Colour_DoesNotGiveAwayTheClass()
    {
        var generator = new ShapesGenerator(new() { Train = 1600, Test = 800 });
        var (train, test) = (generator.Generate(ShapesSplit.Train), generator.Generate(ShapesSplit.Test));
        static double[][] Features(byte[] pixels) => [.. pixels.Chunk(1024).Select(channel => channel.Average(v => (double)v)).Chunk(3)];
        var (known, asked) = (Features(train.Pixels), Features(test.Pixels));
        var right = Enumerable.Range(0, asked.Length).Count(i =>
        {
            var nearest = Enumerable.Range(0, known.Length).OrderBy(k => known[k].Zip(asked[i], (a, b) => (a - b) * (a - b)).Sum()).Take(15);
            return nearest.GroupBy(k => train.Classes[k]).MaxBy(g => g.Count())!.Key == test.Classes[i];
        });
        Assert.InRange(right, 0, 800 * 0.18); // chance: 0.125 with a standard deviation of 0.012
    }

    [Theory]
    [InlineData("circle", 2.8353)] // pi * 0.95^2
    [InlineData("square", 2.56)] // 1.6^2
    [InlineData("triangle", 1.7180)] // 3 sqrt(3) / 4 * 1.15^2
    [InlineData("star", 1.6589)] // 5 * 0.45 * sin 36 deg * 1.12^2
    [InlineData("cross", 2.04)] // 2 * 2 * 0.6 - 0.6^2
    [InlineData("ring", 1.9604)] // pi * (0.98^2 - 0.58^2)
    [InlineData("hexagon", 2.5981)] // 3 sqrt(3) / 2
    public void Figure_CoversTheAreaOfItsFormula(string name, double area)
    {
        var figure = ShapesGenerator.ClassNames.ToList().IndexOf(name);
        const int Steps = 600;
        var inside = 0;
        for (var i = 0; i < Steps; i++)
        {
            for (var j = 0; j < Steps; j++)
            {
                inside += ShapeFigure.Distance(figure, ((i + 0.5f) * 3 / Steps) - 1.5f, ((j + 0.5f) * 3 / Steps) - 1.5f) < 0 ? 1 : 0;
            }
        }
        Assert.Equal(area, inside * 9.0 / (Steps * Steps), 0.01);
    }

    [Fact]
    public void Options_OutOfRange_AreReportedTogether()
    {
        var error = Assert.Throws<OptionsException>(() => new ShapesGenerator(new() { Train = 0, Test = 0, Size = 8 }));
        Assert.Equal(3, error.Problems.Count);
        Assert.Throws<ArgumentException>(() => new ShapesGenerator(new()).Draw(ShapesSplit.Train, 0, new byte[7]));
    }
}
