namespace Nabla.Models;

/// <summary>
/// Multilayer perceptron for tables and small pictures. Categorical columns go through embeddings, numeric ones may
/// (<see cref="MlpOptions.NumericEmbedding"/>); all are joined and pass plain or residual blocks to a linear head.
/// Sources: Gorishniy et al. (2021), arXiv:2106.11959, and (2022), arXiv:2203.05556.
/// </summary>
public sealed class Mlp : Model
{
    private readonly NumericEmbedding? numbers;
    private readonly ModuleList<EmbeddingTable> categories;
    private readonly Linear? entry;
    private readonly ModuleList<Module<Tensor, Tensor>> blocks;
    private readonly Module<Tensor, Tensor>? norm;
    private readonly Linear head;
    private readonly MlpOptions _options;

    /// <summary>The family <c>mlp</c>.</summary>
    public static ModelFamily Family { get; } = ModelFamily.Define<MlpOptions>(
        "mlp",
        "Multilayer perceptron with embeddings of columns",
        "Gorishniy et al. (2021, 2022), arXiv:2106.11959 and arXiv:2203.05556",
        [ModelTasks.TabularClassification, ModelTasks.TabularRegression, ModelTasks.ImageClassification],
        (options, input) => new Mlp(options, input));

    /// <summary>Makes the model.</summary>
    /// <param name="options">Sizes and regularisation.</param>
    /// <param name="input">Sizes of the data: columns of a table, or of a picture, whose pixels are then the numbers.</param>
    /// <exception cref="OptionsException">The options or sizes cannot work.</exception>
    public Mlp(MlpOptions options, ModelInput input)
        : base(nameof(Mlp), AsTable(input))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var features = Input.Features;
        numbers = NumericEmbedding.Create(options, Input);
        categories = new([.. input.CategorySizes.Select(ids => CategoryTable(ids, options.CategorySize(ids)))]);
        var width = (numbers is null ? features : features * options.NumericEmbeddingSize) + input.CategorySizes.Sum(options.CategorySize);
        blocks = new();
        if (options.Block == "residual")
        {
            entry = Linear(width, options.Hidden[0]);
            norm = MlpParts.Norm(options.Norm, options.Hidden[0]);
        }
        foreach (var next in options.Hidden)
        {
            blocks.Add(options.Block == "residual" ? new ResidualMlpBlock(next, options) : new MlpBlock(width, next, options));
            width = next;
        }
        head = Linear(width, input.Outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelBatch input) => WrappedTensorDisposeScope(() =>
    {
        if (IsChain)
        {
            return Shaped(PerceptronOps.Run(Columns(input), [.. Layers().Select(layer => (Tensor)layer.weight!)], [.. Layers().Select(layer => (Tensor?)layer.bias)]));
        }
        var x = entry is null ? Columns(input) : entry.call(Columns(input));   // [batch, width]
        foreach (var block in blocks)
        {
            x = block.call(x);                                                 // [batch, hidden]
        }
        if (entry is not null)
        {
            x = Activations.Apply(_options.Activation, norm?.call(x) ?? x);
        }
        return Shaped(head.call(x));
    });

    /// <summary>Whether the model is linear layers and relu only, which one operation computes. Hooks of the blocks run in float32 only.</summary>
    private bool IsChain => _options is { Block: "plain", Norm: "none", Activation: "relu" } && (_options.Dropout == 0 || !training)
        && Autocast.TypeOn(DeviceType.CPU) == ScalarType.BFloat16;

    private IEnumerable<Linear> Layers() => blocks.Select(block => ((MlpBlock)block).Layer).Append(head);

    private Tensor Shaped(Tensor x)                                            // [batch, outputs]
        => Input.Task == ModelTasks.TabularRegression ? x.squeeze(-1) : x;

    /// <summary>All columns of the batch side by side, <c>[batch, width]</c>.</summary>
    private Tensor Columns(ModelBatch batch)
    {
        var inputs = batch.Inputs.ndim > 2 ? batch.Inputs.flatten(1) : batch.Inputs;   // [batch, features]
        if (inputs.dim() != 2 || inputs.size(1) != Input.Features)
        {
            throw new ShapeException("Mlp.forward", nameof(ModelBatch.Inputs), $"[batch, features={Input.Features}]", batch.Inputs.Sizes(), "Give the numeric columns of the training data, in their order.");
        }
        var (rows, width) = (inputs.size(0), inputs.size(1));
        if (categories.Count == 0)
        {
            return numbers?.call(inputs) ?? inputs;
        }
        if (batch.Categories is not { } ids || ids.Sizes() is not [var idRows, var columns] || idRows != rows || columns != categories.Count)
        {
            throw new ShapeException("Mlp.forward", nameof(ModelBatch.Categories), $"[batch={rows}, columns={categories.Count}]", batch.Categories?.Sizes() ?? [], "Give the categorical columns of the training data as ids, in their order.");
        }
        List<Tensor> parts = width > 0 ? [numbers?.call(inputs) ?? inputs] : [];
        for (var column = 0; column < categories.Count; column++)
        {
            parts.Add(categories[column].call(ids.select(1, column)));                // [batch, size]
        }
        return cat(parts, 1);
    }

    private static EmbeddingTable CategoryTable(int ids, int size)
    {
        var table = new EmbeddingTable(ids, size);
        var bound = 1 / Math.Sqrt(size); // vectors of about length 1, so that no column drowns the others
        init.uniform_(table.Weight, -bound, bound);
        return table;
    }

    /// <summary>A picture's pixels are a table's numbers.</summary>
    private static ModelInput AsTable(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Task == ModelTasks.ImageClassification ? input with { Features = input.Channels * input.Height * input.Width } : input;
    }
}
