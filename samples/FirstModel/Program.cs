using Nabla;

// The built-in recipe, with one setting changed: a convolutional network learns to tell eight figures apart.
var recipe = RecipeFile.Load("shapes", ["training.epochs=2"]);
var run = await TrainingRun.StartAsync(recipe);
Console.WriteLine($"test accuracy {run.Metrics["test/accuracy"]:P1}, report in {run.Folder}/report.html");

// The run folder is all that is needed to use the model, here or on another machine.
using var predictor = Predictor.Open(run.Folder);
foreach (var prediction in predictor.Predict(args))
{
    Console.WriteLine($"{prediction.Input}: {prediction.Label}, {prediction.Probability:P0}");
}
