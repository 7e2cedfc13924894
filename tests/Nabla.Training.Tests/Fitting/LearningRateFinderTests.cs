namespace Nabla.Training.Tests;

public sealed class LearningRateFinderTests
{
    [Fact, LeaksNoTensors]
    public void Find_RealTask_RestoresTheModuleAndSuggestsARateThatTrains()
    {
        using var task = new TinyTask();
        using var data = new TinyData(200);
        var before = Weights.Sum(task.Module);
        var options = new TrainingOptions { Precision = "float32", Optimizer = new() { Name = "sgd" } };

        var finding = new LearningRateFinder(options) { Highest = 100 }.Find(task, data.Loader, new());

        Assert.Equal(before, Weights.Sum(task.Module));
        Assert.InRange(finding.Suggestion, 1e-3, 30);
        Assert.Equal(1e-6, finding.Points[0].LearningRate, 1e-12);
        Assert.True(finding.Points.Zip(finding.Points.Skip(1)).All(pair => pair.Second.LearningRate > pair.First.LearningRate));
        Assert.All(task.Module.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Fact]
    public void Suggest_LossThatFallsOnce_GivesTheMiddleOfTheFall()
    {
        // A fall of logistic form around 1e-2, then growth: steepest exactly in its middle.
        var points = Enumerable.Range(0, 81).Select(i =>
        {
            var exponent = -6 + (i * 0.1);
            return new LearningRatePoint(Math.Pow(10, exponent), (1 / (1 + Math.Exp(4 * (exponent + 2)))) + (exponent > -0.5 ? Math.Pow(exponent + 0.5, 2) : 0));
        }).ToList();

        Assert.Equal(1e-2, LearningRateFinder.Suggest(points, 7).Suggestion, 1e-9);
    }

    [Fact]
    public void Suggest_LossThatOnlyGrows_KeepsTheConfiguredRate()
        => Assert.Equal(7, LearningRateFinder.Suggest([.. Enumerable.Range(0, 20).Select(i => new LearningRatePoint(Math.Pow(2, i), i))], 7).Suggestion);

    [Fact]
    public void Fit_WithFindLearningRate_UsesTheSuggestion()
    {
        using var task = new TinyTask();
        using var data = new TinyData(200);
        var options = new TrainingOptions { Epochs = 1, LogEverySteps = 1, Precision = "float32", FindLearningRate = true, Optimizer = new() { Name = "sgd", LearningRate = 123 } };
        var rates = new List<double>();

        new Trainer(options).Fit(task, data.Loader, null, new() { Callbacks = [new Rates(rates)] });

        Assert.All(rates, rate => Assert.InRange(rate, 1e-4, 1.01));
    }

    private sealed class Rates(List<double> rates) : TrainingCallback
    {
        public override Continuation OnStepCompleted(StepCompleted step)
        {
            rates.Add(step.LearningRate);
            return Continuation.Continue;
        }
    }
}
