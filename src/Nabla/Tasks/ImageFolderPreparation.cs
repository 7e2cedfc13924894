using Nabla.Core;
using Nabla.Data;

namespace Nabla;

/// <summary>Makes a user's folder of pictures ready. Files are decoded while training, ahead in the background; few ones are kept in memory.</summary>
internal static class ImageFolderPreparation
{
    /// <summary>So many training pictures tell the mean and deviation of pixels well enough.</summary>
    private const int MeasuredPictures = 512;
    private const double DefaultValidation = 0.1, DefaultTest = 0.2;

    /// <summary>Prepares the recipe's folder.</summary>
    /// <param name="recipe">The recipe; its data has a path.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    public static PreparedData Prepare(Recipe recipe, string folder)
    {
        var options = recipe.Data;
        var listing = ImageFolder.List(Path.GetFullPath(options.Path!, folder));
        var testListing = options.TestPath is null ? null : WithClasses(ImageFolder.List(Path.GetFullPath(options.TestPath, folder)), listing.ClassNames);
        var (validation, test) = (options.Validation ?? DefaultValidation, testListing is not null ? 0 : options.Test ?? DefaultTest);
        var split = Split(recipe, listing, validation, test);
        var image = Measure(options, listing, split.Train);
        var source = new ImageFolderSource(listing, SourceOptions(image));
        var parts = new Dictionary<string, IBatchSource>(StringComparer.Ordinal) { ["train"] = Part(source, split.Train, options.Limit) };
        Add("validation", source, split.Validation);
        Add("test", source, split.Test);
        var owned = new List<IDisposable> { source };
        if (testListing is not null)
        {
            var testSource = new ImageFolderSource(testListing, SourceOptions(image));
            owned.Add(testSource);
            Add("test", testSource, DataPreparation.First(testSource.Count, null));
        }
        var hash = FileHash.ContentHash([.. listing.Paths, .. testListing?.Paths ?? []]);
        var classCounts = DataPreparation.CountClasses(listing.ClassNames.Count, parts.Select(part => (part.Key, (long[]?)Labels(part.Value))));
        return new PreparedData
        {
            Train = parts["train"],
            Validation = parts.GetValueOrDefault("validation"),
            Test = parts.GetValueOrDefault("test"),
            Preprocessing = ImagePreparation.Encoders(recipe, image, listing.ClassNames),
            Facts = DataPreparation.Facts(recipe, hash, "pictures", parts.ToDictionary(part => part.Key, part => part.Value.Count, StringComparer.Ordinal), listing.ClassNames, classCounts),
            Describe = (name, index) => Describe((SubsetSource)parts[name], name == "test" && testListing is not null ? testListing : listing, index, image),
        }.Own([.. owned]);

        void Add(string name, ImageFolderSource from, long[] indices)
        {
            if (indices.Length > 0)
            {
                parts[name] = Part(from, indices, options.Limit);
            }
        }
    }

    /// <summary>Labelled pictures of a user, for evaluation by a model that knows <paramref name="preprocessing"/>'s classes.</summary>
    public static ImageFolderSource Labelled(string folder, Preprocessing preprocessing)
        => new(WithClasses(ImageFolder.List(folder), preprocessing.Classes), SourceOptions(preprocessing.Image!));

    /// <summary>How pictures are read for a model.</summary>
    public static ImageSourceOptions SourceOptions(ImagePreprocessing image) => new()
    {
        Height = image.Height,
        Width = image.Width,
        Decoding = new() { Channels = image.Channels },
        Pixels = image.Pixels,
    };

    private static DataSplit Split(Recipe recipe, ImageListing listing, double validation, double test)
    {
        var (labels, seed) = (listing.Classes!, recipe.Data.SplitSeed ?? recipe.Seed);
        try
        {
            return (recipe.Data.Split ?? SplitMethod.Stratified) switch
            {
                SplitMethod.Stratified => Splitter.Stratified([.. labels.Select(label => listing.ClassNames[(int)label])], validation, test, seed),
                SplitMethod.Random => Splitter.Random(labels.Count, validation, test, seed),
                _ => throw new DataException("pictures in folders have no column to split by; data.split must be stratified or random."),
            };
        }
        catch (DataException cause)
        {
            throw new DataException($"{listing.Folder}: {cause.Message}", cause);
        }
    }

    private static ImagePreprocessing Measure(DataOptions options, ImageListing listing, long[] train)
    {
        var channels = options.Channels ?? new ImageOptions().Channels;
        var first = ImageFile.Read(listing.Paths[(int)train[0]], new() { Channels = channels });
        var (height, width) = options.ImageSize is { } side ? (side, side) : (first.Height, first.Width);
        ImagePreprocessing image = new() { Channels = channels, Height = height, Width = width, Pixels = new() };
        using var source = new ImageFolderSource(listing, SourceOptions(image));
        var step = Math.Max(1, train.Length / MeasuredPictures);
        using var pictures = source.ReadPixels([.. train.Where((_, i) => i % step == 0).Take(MeasuredPictures)]);
        return image with { Pixels = PixelNormalization.Measure(pictures) };
    }

    /// <summary>The listing with class ids as another list of classes has them.</summary>
    private static ImageListing WithClasses(ImageListing listing, IReadOnlyList<string> classes)
    {
        var unknown = listing.ClassNames.FirstOrDefault(name => !classes.Contains(name));
        if (unknown is not null)
        {
            throw new DataException($"'{listing.Folder}': class '{unknown}' was never seen in training. {NearestName.Suggest(unknown, [.. classes])}");
        }
        var ids = listing.ClassNames.Select(name => (long)classes.ToList().IndexOf(name)).ToArray();
        return listing with { Classes = [.. listing.Classes!.Select(id => ids[id])], ClassNames = classes };
    }

    /// <summary>Some of the pictures, each decoded once here: a damaged one would else end the run when its batch comes, in the test split after all of training.</summary>
    private static SubsetSource Part(ImageFolderSource source, long[] indices, long? limit)
    {
        SubsetSource part = new(source, limit is { } most && most < indices.Length ? indices.AsSpan(0, (int)most) : indices);
        source.Check(part.Indices);
        return part;
    }

    private static long[] Labels(IBatchSource source) => [.. DataPreparation.First(source.Count, null).Select(index => source.ClassOf(index)!.Value)];

    private static RawExample Describe(SubsetSource part, ImageListing listing, long index, ImagePreprocessing image)
    {
        var file = listing.Paths[(int)part.Indices[(int)index]];
        var decoded = ImageFile.Read(file, new() { Channels = image.Channels });
        return new() { Picture = PngFile.Encode(decoded.Pixels, decoded.Channels, decoded.Height, decoded.Width), Source = Path.GetRelativePath(listing.Folder, file) };
    }
}
