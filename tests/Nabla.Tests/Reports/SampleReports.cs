using Nabla.Core;
using SkiaSharp;

namespace Nabla.Tests;

/// <summary>Reports of made-up runs, one of each kind, for tests and for looking at.</summary>
public static class SampleReports
{
    private static readonly string[] Shapes = ["circle", "square", "triangle", "star", "cross", "ring", "heart & <b>bold</b>"];

    public static ReportData Classification()
    {
        var random = RandomStream.At(7, RandomPurpose.Augmentation);
        var counts = Shapes.Select((_, row) => Shapes.Select((_, column) => row == column ? 138L - (row * 3) : random.NextInt(0, 12) < 4 ? random.NextInt(0, 9) : 0L).ToArray()).ToArray();
        ReportConfusion confusion = new(Shapes, counts);
        ReportData data = new()
        {
            Title = "shapes",
            Task = "image-classification",
            RunId = "20260504-101233-7f3a",
            StartedAt = new DateTimeOffset(2026, 5, 4, 10, 12, 33, TimeSpan.Zero),
            Duration = TimeSpan.FromSeconds(41.2),
            Headline =
            [
                new("test/accuracy", (double)confusion.Correct() / confusion.Total(), "95 % interval 92.5 to 95.3 %"),
                new("test/loss", 0.2013), new("test/macro-f1", 0.9372), new("validation/accuracy", 0.9511, "best of 12 evaluations"),
            ],
            Curves =
            [
                new("train/loss", Curve(600, 12, i => (1.9 * Math.Exp(-i / 90.0)) + 0.05 + (0.09 * random.NextDouble()))),
                new("validation/loss", Curve(12, 12, i => (1.5 * Math.Exp(-i / 2.2)) + 0.12 + (i > 7 ? 0.02 * (i - 7) : 0), 50)),
                new("train/accuracy", Curve(600, 12, i => 1 - (0.85 * Math.Exp(-i / 90.0)) - (0.05 * random.NextDouble()))),
                new("validation/accuracy", Curve(12, 12, i => 0.951 - (0.6 * Math.Exp(-i / 1.8)), 50)),
                new("test/accuracy", [new(600, 12, 0.94)]),
                new("system/examples-per-second", Curve(600, 12, i => 4200 + (300 * random.NextDouble()))),
            ],
            LearningRate = new("learning-rate", Curve(600, 12, i => i < 180 ? 0.003 * i / 180 : 0.0015 * (1 + Math.Cos(Math.PI * (i - 180) / 420)))),
            Confusion = confusion,
            Samples = [.. Enumerable.Range(0, 12).Select(i => Picture(i, i % 5 == 3))],
            Mistakes = [.. Enumerable.Range(20, 6).Select(i => Picture(i, wrong: true))],
            DataCard = new()
            {
                Name = "shapes",
                Description = "Coloured geometric figures on textured ground, drawn by a program from a seed.\n\nMade for first steps: small, balanced, without a download. It says nothing about how a model does on photographs.",
                Licence = "CC0-1.0",
                Source = "built in (Nabla.Data.Shapes, seed 1)",
                ContentHash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                Splits =
                [
                    new("train", 6000, [.. Shapes.Select((shape, i) => new ReportLabelCount(shape, 900 - (i * 20)))]),
                    new("validation", 660, [.. Shapes.Select((shape, i) => new ReportLabelCount(shape, 96 - i))]),
                    new("test", 1000, [.. Shapes.Select((shape, i) => new ReportLabelCount(shape, 140 + i))]),
                ],
                Facts = [new("picture size", "32 x 32, 3 channels")],
            },
            Model = new()
            {
                Name = "cnn-3",
                Parameters = 94_727,
                TrainableParameters = 94_727,
                MultiplyAdds = 5_820_416,
                Facts = [new("memory of parameters", "379 kB")],
                Layers =
                [
                    new("stem.convolution", "Conv2d 3x3", "[batch, 32, 32, 32]", 896, 884_736),
                    new("stem.norm", "BatchNorm2d", "[batch, 32, 32, 32]", 64, 65_536),
                    new("stages.0.convolution", "Conv2d 3x3", "[batch, 64, 16, 16]", 18_496, 4_718_592),
                    new("stages.1.convolution", "Conv2d 3x3", "[batch, 128, 8, 8]", 73_856, 4_718_592),
                    new("head", "Linear", "[batch, 7]", 1_415, 896),
                ],
            },
            Settings = "# resolved by nabla 0.1.0\ntask: image-classification\ndata:\n  dataset: shapes\n  validation: 0.1\n  augment:\n    - random-crop: { padding: 2 }\n    - horizontal-flip\nmodel: { family: cnn, width: 32 }\ntraining:\n  epochs: 12\n  batch_size: 128\n  precision: auto\n  optimizer: { name: adamw, learning_rate: 3e-3, weight_decay: 0.05 }\nseed: 1\n",
            Environment = [new("nabla", "0.1.0"), new("torchsharp", "0.107.0"), new("libtorch", "2.10.0"), new("dotnet", "10.0.1"), new("system", "Debian GNU/Linux 12, x64"), new("device", "cpu, AMD EPYC, AVX-512"), new("threads", "2"), new("commit", "cc540f5a9a2a3e0c")],
            Resources = [new("training", "36.4 s"), new("examples a second", "4,310"), new("peak memory", "612 MB"), new("steps", "600")],
        };
        return data with { Findings = ReportFindings.Of(data) };
    }

    public static ReportData Regression()
    {
        var random = RandomStream.At(11, RandomPurpose.Augmentation);
        var actual = Enumerable.Range(0, 1500).Select(_ => Math.Clamp(206_000 + (115_000 * random.NextNormal()), 15_000, 500_001)).ToArray();
        var predicted = actual.Select(value => (value * 0.93) + 14_000 + (44_000 * random.NextNormal())).ToArray();
        ReportData data = new()
        {
            Title = "california-housing",
            Task = "tabular-regression",
            RunId = "20260504-111501-b2c4",
            Status = "stopped-early",
            StartedAt = new DateTimeOffset(2026, 5, 4, 11, 15, 1, TimeSpan.Zero),
            Duration = TimeSpan.FromSeconds(192),
            Headline = [new("test/rmse", 48_212.3), new("test/mae", 31_904.1), new("test/r2", 0.8263), new("validation/rmse", 49_011)],
            Curves =
            [
                new("train/loss", [new(1, 0.01, 41.2), .. Curve(400, 40, i => 0.21 + Math.Exp(-i / 40.0) + (0.03 * random.NextDouble())).Skip(1)]),
                new("validation/loss", [.. Curve(40, 40, i => i == 6 ? double.NaN : 0.24 + Math.Exp(-i / 4.0), 10)]),
                new("validation/rmse", Curve(40, 40, i => 48_900 + (60_000 * Math.Exp(-i / 4.0)), 10)),
            ],
            Residuals = new() { Target = "median house value (dollars)", Actual = actual, Predicted = predicted },
            Mistakes =
            [
                new() { Predicted = "412,300", Actual = "112,500", Row = [new("median_income", "9.21"), new("housing_median_age", "52"), new("ocean_proximity", "NEAR BAY"), new("population", "213")], Source = "test row 812" },
                new() { Predicted = "131,900", Actual = "500,001", Row = [new("median_income", "2.03"), new("housing_median_age", "31"), new("ocean_proximity", "INLAND"), new("population", "1,204")], Source = "test row 2,201" },
            ],
            DataCard = new() { Name = "california-housing", Description = "One row for each block group of the 1990 census.", Licence = "public domain", Source = "Pace and Barry (1997), Sparse Spatial Autoregressions", Splits = [new("train", 14_860, []), new("validation", 1_652, []), new("test", 4_128, [])] },
            Model = new() { Name = "mlp", Parameters = 84_481, TrainableParameters = 84_481 },
            Settings = "task: tabular-regression\ndata: { dataset: california-housing }\nseed: 1\n",
            Environment = [new("nabla", "0.1.0"), new("device", "cpu")],
        };
        return data with { Findings = ReportFindings.Of(data) };
    }

    public static ReportData Language()
    {
        var random = RandomStream.At(13, RandomPurpose.Augmentation);
        ReportData data = new()
        {
            Title = "shakespeare-gpt",
            Task = "language-model",
            RunId = "20260504-121500-00aa",
            Status = "interrupted",
            StartedAt = new DateTimeOffset(2026, 5, 4, 12, 15, 0, TimeSpan.Zero),
            Duration = TimeSpan.FromMinutes(13.4),
            Headline = [new("validation/loss", 1.5871, "nats a character"), new("validation/perplexity", 4.889)],
            Curves =
            [
                new("train/loss", Curve(3000, 5, i => 1.35 + (2.9 * Math.Exp(-i / 200.0)) + (0.1 * random.NextNormal()))),
                new("validation/loss", Curve(15, 5, i => 1.587 + (1.1 * Math.Exp(-i / 2.0)), 200)),
            ],
            LearningRate = new("learning-rate", Curve(3000, 5, i => 6e-4 * Math.Min(1, i / 100.0))),
            Language = new()
            {
                Perplexity = 4.889,
                Token = "character",
                Generations =
                [
                    new("ROMEO:\n", "What say you to the part of this fair night?\nI will not be the man that shall be so.\n\nJULIET:\nO gentle Romeo, if thou dost so love,\nThe sun that shines upon the world is thine.\n", "temperature 0.8, top-k 40, seed 1"),
                    new("", "<script>alert(1)</script> and so the king did sleep.\n", "temperature 1.0, seed 2"),
                ],
            },
            Samples = [new() { Predicted = "positive", Actual = "negative", Correct = false, Text = "a film that is , against all odds , not bad at all", Probabilities = [new("positive", 0.71), new("negative", 0.29)], Source = "line 12" }],
            DataCard = new() { Name = "tinyshakespeare", Licence = "public domain", Splits = [new("train", 1_003_854, []), new("validation", 111_540, [])] },
            Settings = "task: language-model\nmodel: { family: gpt, layers: 4 }\n",
        };
        return data with { Findings = ReportFindings.Of(data) };
    }

    public static IReadOnlyList<ReportPoint> Curve(int count, double epochs, Func<int, double> value, int stride = 1) =>
        [.. Enumerable.Range(0, count).Select(i => new ReportPoint((i + 1L) * stride, (i + 1) * epochs / count, value(i)))];

    private static ReportSample Picture(int index, bool wrong)
    {
        var random = RandomStream.At(index, RandomPurpose.Augmentation);
        var actual = index % Shapes.Length;
        var predicted = wrong ? (actual + 2) % Shapes.Length : actual;
        var sure = 0.55 + (0.44 * random.NextDouble());
        return new()
        {
            Actual = Shapes[actual],
            Predicted = Shapes[predicted],
            Correct = !wrong,
            Picture = Draw(actual, random),
            Probabilities = [new(Shapes[predicted], sure), new(Shapes[(predicted + 5) % Shapes.Length], (1 - sure) * 0.7), new(Shapes[(predicted + 1) % Shapes.Length], (1 - sure) * 0.3)],
            Source = $"test example {index * 37}",
        };
    }

    private static byte[] Draw(int shape, RandomStream random)
    {
        using SKBitmap bitmap = new(32, 32);
        using SKCanvas canvas = new(bitmap);
        using SKPaint paint = new() { IsAntialias = true };
        for (var i = 0; i < 64; i++)
        {
            paint.Color = SKColor.FromHsl((float)random.NextDouble(180, 240), 25, (float)random.NextDouble(25, 55));
            canvas.DrawRect(i % 8 * 4, i / 8 * 4, 4, 4, paint);
        }
        paint.Color = SKColor.FromHsl((float)random.NextDouble(0, 360), 85, 60);
        var (x, y, r) = ((float)random.NextDouble(12, 20), (float)random.NextDouble(12, 20), (float)random.NextDouble(7, 11));
        switch (shape)
        {
            case 0:
                canvas.DrawCircle(x, y, r, paint);
                break;
            case 1:
                canvas.DrawRect(x - r, y - r, 2 * r, 2 * r, paint);
                break;
            case 4:
                canvas.DrawRect(x - r, y - 2, 2 * r, 4, paint);
                canvas.DrawRect(x - 2, y - r, 4, 2 * r, paint);
                break;
            case 5:
                (paint.Style, paint.StrokeWidth) = (SKPaintStyle.Stroke, 3);
                canvas.DrawCircle(x, y, r, paint);
                break;
            default:
                using (SKPath path = new())
                {
                    path.MoveTo(x, y - r);
                    path.LineTo(x + r, y + r);
                    path.LineTo(x - r, y + r);
                    path.Close();
                    canvas.DrawPath(path, paint);
                }
                break;
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
