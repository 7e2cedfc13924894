using Microsoft.Extensions.Logging;
using Nabla.Core;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>A run that is used: its recipe, its encoders and its model with the best weights. Owns the model.</summary>
internal sealed class OpenedRun : IDisposable
{
    private OpenedRun(RunFolder folder, Recipe recipe, Preprocessing preprocessing, Model model, Device device)
        => (Folder, Recipe, Preprocessing, Model, Device) = (folder, recipe, preprocessing, model, device);

    public RunFolder Folder { get; }

    public Recipe Recipe { get; }

    public Preprocessing Preprocessing { get; }

    public Model Model { get; }

    public Device Device { get; }

    /// <summary>Opens a run folder; it may come from another machine.</summary>
    /// <exception cref="NablaException">The folder is no run, half written, damaged or from a newer version.</exception>
    public static OpenedRun Open(string folder, string device, ILogger? logger = null)
    {
        NablaRuntime.EnsureLoaded();
        var run = RunFolder.Open(folder);
        StoredFiles.Check(run);
        var recipe = StoredRecipe.Load(run);
        var preprocessing = Preprocessing.Load(run.FullPath);
        var checkpoint = run.OpenCheckpoints(logger).OpenBest();
        var target = Devices.Parse(device);
        var model = ModelBuilding.CreateModel(recipe, preprocessing.Model);
        try
        {
            checkpoint.LoadServedWeights(model);
            model.to(target);
            model.eval();
            return new(run, recipe, preprocessing, model, target);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}
