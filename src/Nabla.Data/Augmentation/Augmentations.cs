using Nabla.Core;

namespace Nabla.Data;

/// <summary>Augmentations by the names that recipes use, such as <c>random-crop: {padding: 2}</c>.</summary>
public static class Augmentations
{
    private sealed record Entry(Type Options, Func<object, AugmentationContext, IBatchTransform> Create)
    {
        public static Entry Of<T>(Func<T, AugmentationContext, IBatchTransform> create) => new(typeof(T), (options, context) => create((T)options, context));
    }

    private static readonly Dictionary<string, Entry> s_entries = new(StringComparer.Ordinal)
    {
        ["random-crop"] = Entry.Of<RandomCropOptions>((options, context) => new RandomCrop(options, context)),
        ["random-resized-crop"] = Entry.Of<RandomResizedCropOptions>((options, context) => new RandomResizedCrop(options, context)),
        ["horizontal-flip"] = Entry.Of<HorizontalFlipOptions>((options, context) => new Flip(options, context)),
        ["vertical-flip"] = Entry.Of<VerticalFlipOptions>((options, context) => new Flip(options, context)),
        ["random-rotate"] = Entry.Of<RandomRotateOptions>((options, context) => new RandomRotate(options, context)),
        ["color-jitter"] = Entry.Of<ColorJitterOptions>((options, context) => new ColorJitter(options, context)),
        ["gaussian-noise"] = Entry.Of<GaussianNoiseOptions>((options, context) => new GaussianNoise(options, context)),
        ["random-erase"] = Entry.Of<RandomEraseOptions>((options, context) => new RandomErase(options, context)),
        ["mixup"] = Entry.Of<MixupOptions>((options, context) => new Mixup(options, context)),
        ["cutmix"] = Entry.Of<CutMixOptions>((options, context) => new CutMix(options, context)),
    };

    /// <summary>All names.</summary>
    public static IReadOnlyCollection<string> Names => s_entries.Keys;

    /// <summary>Type of the options record of an augmentation; it has a constructor without parameters and <c>Validate</c>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="OptionsException">The name is not known.</exception>
    public static Type OptionsTypeOf(string name) => Find(name).Options;

    /// <summary>Makes an augmentation from its options record.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="options">A record of the type <see cref="OptionsTypeOf"/>.</param>
    /// <param name="context">The pictures it will see.</param>
    /// <exception cref="OptionsException">The name is not known, or an option is out of its range or does not fit the pictures.</exception>
    /// <exception cref="ArgumentException">The options belong to another augmentation.</exception>
    public static IBatchTransform Create(string name, object options, AugmentationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        context.Validate();
        var entry = Find(name);
        return entry.Options.IsInstanceOfType(options)
            ? entry.Create(options, context)
            : throw new ArgumentException($"Augmentations.Create: expected options of '{name}' as {entry.Options.Name}, got {options.GetType().Name}.", nameof(options));
    }

    /// <summary>Makes an augmentation from the values of a recipe line.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="options">Values by snake_case name, such as <c>padding</c>; missing ones keep their default.</param>
    /// <param name="context">The pictures it will see.</param>
    /// <exception cref="OptionsException">The name or an option is not known, or a value is of the wrong type or out of its range; all problems at once.</exception>
    public static IBatchTransform Create(string name, IReadOnlyDictionary<string, object?> options, AugmentationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Create(name, OptionsBinder.Bind(name, Find(name).Options, options), context);
    }

    private static Entry Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return s_entries.TryGetValue(name, out var entry)
            ? entry
            : throw new OptionsException("augment", [$"'{name}' is not known. {NearestName.Suggest(name, s_entries.Keys)}"]);
    }
}
