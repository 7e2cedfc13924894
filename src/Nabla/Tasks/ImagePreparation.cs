using Nabla.Core;
using Nabla.Data;

namespace Nabla;

/// <summary>Makes pictures ready: pixel statistics measured on the training split, pictures kept as bytes in memory.</summary>
internal static class ImagePreparation
{
    /// <summary>Prepares pictures in memory; the result owns the tensors of <paramref name="data"/>.</summary>
    public static PreparedData Prepare(Recipe recipe, ImageData data)
    {
        var options = recipe.Data;
        var splits = new Dictionary<string, ImageSplit>(StringComparer.Ordinal) { ["train"] = First(data.Train, options.Limit) };
        foreach (var (name, split) in new[] { ("validation", data.Validation), ("test", data.Test) })
        {
            if (split is not null)
            {
                splits[name] = First(split, options.Limit);
            }
        }
        var shape = splits["train"].Images.Sizes(); // [examples, channels, height, width]
        if ((options.Channels is { } channelsAsked && channelsAsked != shape[1]) || (options.ImageSize is { } sideAsked && (sideAsked != shape[2] || sideAsked != shape[3])))
        {
            throw new Core.DataException($"Data set '{data.Name}' has pictures of {shape[1]} channels, {shape[3]} x {shape[2]} pixels; data.channels and data.image_size change the pictures of a folder only. Leave them out.");
        }
        var pixels = PixelNormalization.Measure(splits["train"].Images);
        var sources = splits.ToDictionary(
            split => split.Key,
            split => new TensorSource([new(Batch.Inputs, split.Value.Images), new(Batch.Targets, torch.tensor(split.Value.Labels))], pixels),
            StringComparer.Ordinal);
        var (channels, height, width) = ((int)shape[1], (int)shape[2], (int)shape[3]);
        var classCounts = DataPreparation.CountClasses(data.Classes.Count, splits.Select(split => (split.Key, (long[]?)split.Value.Labels)));
        return new PreparedData
        {
            Train = sources["train"],
            Validation = sources.GetValueOrDefault("validation"),
            Test = sources.GetValueOrDefault("test"),
            Preprocessing = Encoders(recipe, new() { Channels = channels, Height = height, Width = width, Pixels = pixels }, data.Classes),
            Facts = DataPreparation.Facts(recipe, data.ContentHash, "pictures", splits.ToDictionary(split => split.Key, split => (long)split.Value.Labels.Length, StringComparer.Ordinal), data.Classes, classCounts),
            Describe = (split, index) => new() { Picture = Png(splits[split].Images, index) },
        }.Own([.. sources.Values]);
    }

    /// <summary>What is stored of pictures for predictions.</summary>
    public static Preprocessing Encoders(Recipe recipe, ImagePreprocessing image, IReadOnlyList<string> classes) => new()
    {
        TrainedOn = $"{(image.Channels == 1 ? "grey" : "colour")} pictures of {image.Width} x {image.Height} pixels",
        Classes = classes,
        Image = image,
        Model = new() { Task = recipe.Task, Outputs = classes.Count, Channels = image.Channels, Height = image.Height, Width = image.Width },
    };

    /// <summary>One of some pictures <c>[examples, channels, height, width]</c> as PNG.</summary>
    private static byte[] Png(Tensor pictures, long index)
    {
        using var picture = pictures[index];
        return PngFile.Encode(picture);
    }

    private static ImageSplit First(ImageSplit split, long? limit)
    {
        if (limit is not { } most || most >= split.Labels.Length)
        {
            return split;
        }
        using var part = split.Images.narrow(0, 0, most);
        var images = part.clone().DetachFromDisposeScope();
        split.Images.Dispose();
        return new(images, split.Labels[..(int)most]);
    }
}
