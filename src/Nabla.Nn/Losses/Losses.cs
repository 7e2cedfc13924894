namespace Nabla.Nn;

/// <summary>Losses by name: modules from predictions and targets to the mean loss of a batch. Thread-safe.</summary>
public static class Losses
{
    private static readonly Dictionary<string, Func<LossOptions, Tensor?, Tensor, Tensor, Tensor>> Functions = new(StringComparer.Ordinal)
    {
        ["cross-entropy"] = (options, weights, x, y) => LossFunctions.CrossEntropy(x, y, weights, options.LabelSmoothing, options.IgnoreIndex),
        ["nll"] = (options, weights, x, y) => LossFunctions.NegativeLogLikelihood(x, y, weights, options.IgnoreIndex),
        ["focal-classes"] = (options, weights, x, y) => LossFunctions.FocalOfClasses(x, y, options.Gamma, weights, options.IgnoreIndex),
        ["multi-margin"] = (options, weights, x, y) => LossFunctions.MultiMargin(x, y, 1, options.Margin, weights),
        ["binary-cross-entropy"] = (options, weights, x, y) => LossFunctions.BinaryCrossEntropy(x, y, weights, labelSmoothing: options.LabelSmoothing),
        ["focal"] = (options, _, x, y) => LossFunctions.Focal(x, y, options.Gamma, options.Alpha),
        ["multi-label-soft-margin"] = (_, weights, x, y) => LossFunctions.MultiLabelSoftMargin(x, y, weights),
        ["hinge"] = (_, _, x, y) => LossFunctions.Hinge(x, y),
        ["squared-hinge"] = (_, _, x, y) => LossFunctions.Hinge(x, y, isSquared: true),
        ["soft-margin"] = (_, _, x, y) => LossFunctions.SoftMargin(x, y),
        ["mse"] = (_, _, x, y) => LossFunctions.MeanSquaredError(x, y),
        ["mae"] = (_, _, x, y) => LossFunctions.MeanAbsoluteError(x, y),
        ["huber"] = (options, _, x, y) => LossFunctions.Huber(x, y, options.Delta),
        ["smooth-l1"] = (options, _, x, y) => LossFunctions.SmoothL1(x, y, options.Delta),
        ["log-cosh"] = (_, _, x, y) => LossFunctions.LogCosh(x, y),
        ["pinball"] = (options, _, x, y) => LossFunctions.Pinball(x, y, options.Quantiles),
        ["poisson-nll"] = (_, _, x, y) => LossFunctions.PoissonNegativeLogLikelihood(x, y),
        ["kl-divergence"] = (_, _, x, y) => LossFunctions.KullbackLeibler(x, y),
        ["dice"] = (_, _, x, y) => LossFunctions.Dice(x, y),
    };

    /// <summary>The names: cross-entropy, binary-cross-entropy, mse, mae, huber and others.</summary>
    public static IReadOnlyCollection<string> Names => Functions.Keys;

    /// <summary>Names of the losses that take class weights.</summary>
    public static IReadOnlyCollection<string> WeightedNames { get; } = ["cross-entropy", "nll", "focal-classes", "multi-margin", "binary-cross-entropy", "multi-label-soft-margin"];

    /// <summary>
    /// A loss as a module, <c>loss.call(predictions, targets)</c>. Its class weights move with it between devices and are not saved.
    /// Class targets out of range, and shapes that would broadcast by accident, are reported.
    /// </summary>
    /// <param name="options">Which loss, and its numbers.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public static Module<Tensor, Tensor, Tensor> Create(LossOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new LossModule(options);
    }

    private sealed class LossModule : Module<Tensor, Tensor, Tensor>
    {
        private readonly LossOptions _options;
        private readonly Func<LossOptions, Tensor?, Tensor, Tensor, Tensor> _function;

        public LossModule(LossOptions options)
            : base(options.Name)
        {
            _options = options;
            _function = Functions[options.Name];
            RegisterComponents();
            if (options.ClassWeights is { } weights)
            {
                register_buffer("classWeights", torch.tensor(weights.ToArray(), ScalarType.Float32).AsOwnedBuffer(), persistent: false);
            }
        }

        public override Tensor forward(Tensor predictions, Tensor targets)
            => _function(_options, _options.ClassWeights is null ? null : get_buffer("classWeights"), predictions, targets);
    }
}
