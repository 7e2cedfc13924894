using Nabla.Core;
using Nabla.Data;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>The loaders of a run's splits, as its recipe wants them.</summary>
internal sealed class RunLoaders
{
    /// <summary>Evaluation keeps no activations, so its batches can be larger.</summary>
    private const int EvaluationBatchFactor = 2;
    private readonly Recipe _recipe;
    private readonly PreparedData _data;
    private readonly bool _isPinned;

    public RunLoaders(Recipe recipe, PreparedData data, Device device)
    {
        (_recipe, _data, _isPinned) = (recipe, data, device.type == DeviceType.CUDA);
        var training = recipe.Training;
        Train = new Data.DataLoader(data.Train, new()
        {
            BatchSize = training.BatchSize,
            Shuffle = true,
            DropLast = recipe.Data.DropLast,
            Seed = recipe.Seed,
            PrefetchBatches = Ahead(recipe),
            Workers = Workers(recipe),
            PinMemory = _isPinned,
            BucketByLength = recipe.Data.BucketByLength && recipe.Task is ModelTasks.TextClassification or ModelTasks.LanguageModeling && data.TrainExamplesPerEpoch is null,
            BalanceClasses = recipe.Data.BalanceClasses,
            ExamplesPerEpoch = data.TrainExamplesPerEpoch,
            MaxBatches = training.OverfitBatches,
        }, Transforms(recipe, data.Preprocessing));
        // Overfitting a few batches is a check of the code: what it is measured on is what it saw.
        Validation = training.OverfitBatches is null ? Evaluation("validation") : null;
    }

    /// <summary>Training batches.</summary>
    public IBatchLoader Train { get; }

    /// <summary>Validation batches, or null.</summary>
    public IBatchLoader? Validation { get; }

    /// <summary>Batches of a split in order, for evaluation; null when the split is empty.</summary>
    public IBatchLoader? Evaluation(string split) => _data.Split(split) is { } source ? Evaluation(source, _recipe, _isPinned) : null;

    /// <summary>Batches of a source in order, for evaluation.</summary>
    public static Data.DataLoader Evaluation(IBatchSource source, Recipe recipe, bool isPinned) => new(source, new()
    {
        BatchSize = recipe.Training.BatchSize * EvaluationBatchFactor,
        Seed = recipe.Seed,
        PrefetchBatches = Ahead(recipe),
        Workers = Workers(recipe),
        PinMemory = isPinned,
        BucketByLength = false,
    });

    /// <summary>Threads that prepare batches. The other half of the cores is for the step; more than 8 have been of no use to it.</summary>
    private static int Workers(Recipe recipe) => recipe.Data.Workers ?? Math.Clamp(Environment.ProcessorCount / 2, 1, 8);

    /// <summary>Batches prepared ahead: at least one for each worker, unless nothing is.</summary>
    private static int Ahead(Recipe recipe) => recipe.Training.PrefetchBatches == 0 ? 0 : Math.Max(recipe.Training.PrefetchBatches, Workers(recipe));

    /// <summary>Optimiser steps that training will take if nothing stops it.</summary>
    public long PlannedSteps(TrainingOptions training)
    {
        var batches = Train.BatchesPerEpoch ?? 1;
        return Math.Min(training.MaxSteps ?? long.MaxValue, (batches + training.AccumulateBatches - 1) / training.AccumulateBatches * training.Epochs);
    }

    private static IReadOnlyList<IBatchTransform> Transforms(Recipe recipe, Preprocessing preprocessing)
    {
        if (recipe.Data.Augment.Count == 0)
        {
            return [];
        }
        if (preprocessing.Image is not { } image)
        {
            throw new OptionsException("data", [$"augment changes pictures; the task {recipe.Task} has none. Leave it out."]);
        }
        AugmentationContext context = new()
        {
            Classes = preprocessing.Classes.Count,
            Channels = image.Channels,
            Height = image.Height,
            Width = image.Width,
            Pixels = image.Pixels,
        };
        return [.. recipe.Data.Augment.Select(augmentation => Augmentations.Create(augmentation.Name, augmentation.Options, context))];
    }
}
