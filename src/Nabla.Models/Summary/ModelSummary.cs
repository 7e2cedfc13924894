namespace Nabla.Models;

/// <summary>
/// What a model consists of: layers with output shapes, parameters, multiply-adds, and an estimate of memory. Made by one dry run;
/// plain data, so that it can be written as JSON.
/// </summary>
public sealed record ModelSummary
{
    /// <summary>Name of the model class.</summary>
    public required string Model { get; init; }

    /// <summary>Shapes of the tensors that went in.</summary>
    public required IReadOnlyList<IReadOnlyList<long>> InputShapes { get; init; }

    /// <summary>Modules in the order of the tree, the model itself first.</summary>
    public required IReadOnlyList<LayerSummary> Layers { get; init; }

    /// <summary>Values in all parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Values in parameters that are trained.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Values in parameters that are not trained.</summary>
    public long FrozenParameters => Parameters - TrainableParameters;

    /// <summary>Multiply-adds of one forward pass of the whole batch.</summary>
    public required long MultiplyAdds { get; init; }

    /// <summary>Estimated memory of training on this batch.</summary>
    public required MemorySummary Memory { get; init; }

    /// <summary>Runs <paramref name="model"/> once, in eval mode and without gradient, and describes what happened. Modes are restored.</summary>
    /// <param name="model">The model; it is borrowed.</param>
    /// <param name="inputs">Example inputs; their batch size scales multiply-adds and activations.</param>
    public static ModelSummary Of(Model model, ModelBatch inputs)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var recorder = new ForwardRecorder(model);
        var modules = ModuleTree.Walk(model).ToArray();
        var modes = modules.Select(named => named.Module.training).ToArray();
        model.eval();
        try
        {
            model.call(inputs);
        }
        finally
        {
            foreach (var (named, mode) in modules.Zip(modes)) // parents come first, so that each child ends in its own mode
            {
                named.Module.train(mode);
            }
        }
        LayerSummary[] layers = [.. modules
            .Select(named => LayerSummary.Of(named.Path, named.Module, recorder.Calls(named.Module)))
            .Where(layer => layer.Calls > 0 || layer.Parameters > 0)];
        var parameters = model.parameters().ToArray();
        return new()
        {
            Model = model.GetName(),
            InputShapes = [.. recorder.Calls(model)[0].Inputs],
            Layers = layers,
            Parameters = parameters.Sum(parameter => parameter.numel()),
            TrainableParameters = parameters.Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel()),
            MultiplyAdds = layers.Sum(layer => layer.MultiplyAdds),
            Memory = new()
            {
                Parameters = Bytes(parameters) + Bytes(model.buffers()),
                Gradients = Bytes(parameters.Where(parameter => parameter.requires_grad)),
                Optimizer = 2 * Bytes(parameters.Where(parameter => parameter.requires_grad)),
                Activations = layers.Where(layer => layer.IsLeaf).Sum(layer => layer.OutputBytes),
            },
        };
    }

    /// <summary>An aligned table with totals, for a terminal or log; lines end in <c>\n</c>.</summary>
    /// <param name="maxDepth">Levels below the model to show; what lies deeper is summed into its ancestor.</param>
    public string ToText(int maxDepth = int.MaxValue) => ModelSummaryText.Write(this, maxDepth);

    /// <inheritdoc/>
    public override string ToString() => ToText();

    private static long Bytes(IEnumerable<Tensor> tensors) => tensors.Sum(tensor => tensor.numel() * tensor.element_size());
}

/// <summary>One module of a <see cref="ModelSummary"/>. Numbers are its own, those of its parts excluded.</summary>
public sealed record LayerSummary
{
    /// <summary>Path in the model, such as <c>layer1.0.conv1</c>; empty for the model itself.</summary>
    public required string Path { get; init; }

    /// <summary>Type of the module.</summary>
    public required string Type { get; init; }

    /// <summary>Shapes of its results, of the last call; empty when it was not called.</summary>
    public required IReadOnlyList<IReadOnlyList<long>> OutputShapes { get; init; }

    /// <summary>Values in its own parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Values in its own parameters that are trained.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Its own multiply-adds in one forward pass.</summary>
    public required long MultiplyAdds { get; init; }

    /// <summary>Memory of its results, in bytes.</summary>
    public required long OutputBytes { get; init; }

    /// <summary>How often it was called.</summary>
    public required int Calls { get; init; }

    /// <summary>Whether it has no parts.</summary>
    public required bool IsLeaf { get; init; }

    internal static LayerSummary Of(string path, Module module, IReadOnlyList<ForwardCall> calls)
    {
        var own = module.named_parameters(recurse: false).Select(named => named.parameter).ToArray();
        return new()
        {
            Path = path,
            Type = module.GetType().Name,
            OutputShapes = calls.Count > 0 ? [.. calls[^1].Outputs] : [],
            Parameters = own.Sum(parameter => parameter.numel()),
            TrainableParameters = own.Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel()),
            MultiplyAdds = calls.Sum(call => Nabla.Models.MultiplyAdds.Of(module, call)),
            OutputBytes = calls.Sum(call => call.OutputBytes),
            Calls = calls.Count,
            IsLeaf = !module.named_children().Any(),
        };
    }
}

/// <summary>Estimated memory of training, in bytes. Operations outside of modules and the allocator's reserves come on top.</summary>
public sealed record MemorySummary
{
    /// <summary>Parameters and buffers.</summary>
    public required long Parameters { get; init; }

    /// <summary>One gradient for each trained value.</summary>
    public required long Gradients { get; init; }

    /// <summary>Two moments for each trained value (Adam and its kin).</summary>
    public required long Optimizer { get; init; }

    /// <summary>Results of all leaf modules, kept for the backward pass.</summary>
    public required long Activations { get; init; }

    /// <summary>The sum.</summary>
    public long Total => Parameters + Gradients + Optimizer + Activations;
}
