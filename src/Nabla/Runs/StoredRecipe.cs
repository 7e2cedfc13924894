using Nabla.Core;
using Nabla.Training;

namespace Nabla;

/// <summary>Reads the recipe that a run stored.</summary>
internal static class StoredRecipe
{
    /// <summary>The complete recipe of a run.</summary>
    /// <exception cref="CheckpointException">The file is missing or cannot be read by this version.</exception>
    public static Recipe Load(RunFolder run)
    {
        if (!File.Exists(run.RecipePath))
        {
            throw new CheckpointException($"'{run.RecipePath}': expected the recipe of the run, got no file. The run folder is half written: it stopped before training began; start a new run.");
        }
        try
        {
            return RecipeFile.Load(run.RecipePath);
        }
        catch (RecipeException cause)
        {
            throw new CheckpointException($"'{run.RecipePath}': this version of Nabla cannot read the stored recipe. {cause.Message} Use the version in environment.json.", cause);
        }
    }
}
