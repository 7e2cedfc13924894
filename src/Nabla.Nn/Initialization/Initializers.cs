namespace Nabla.Nn;

/// <summary>
/// Starting values of weights, by name, from a generator, so that a seed fixes them. Sources: Glorot and Bengio (2010) for xavier,
/// He et al. (2015), arXiv:1502.01852, for kaiming, LeCun et al. (1998) for lecun, Saxe et al. (2014), arXiv:1312.6120, for orthogonal.
/// </summary>
public static class Initializers
{
    /// <summary>The names; glorot is another word for xavier, and he for kaiming.</summary>
    public static IReadOnlyCollection<string> Names { get; } =
    [
        "xavier-uniform", "xavier-normal", "glorot-uniform", "glorot-normal", "kaiming-uniform", "kaiming-normal", "he-uniform", "he-normal",
        "lecun-uniform", "lecun-normal", "truncated-normal", "normal", "uniform", "orthogonal", "zeros", "ones", "constant",
    ];

    /// <summary>Fills a tensor in place.</summary>
    /// <param name="tensor">A parameter or plain tensor; xavier, kaiming, lecun and orthogonal need two axes or more, <c>[outputs, inputs, ...]</c>.</param>
    /// <param name="options">Which values.</param>
    /// <param name="generator">Where randomness comes from; null: torch's own generator.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    /// <exception cref="ShapeException">The tensor has too few axes.</exception>
    public static void Fill(Tensor tensor, InitializerOptions options, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        switch (options.Name)
        {
            case "zeros":
                tensor.zero_();
                break;
            case "ones":
                tensor.fill_(Number.Of(1));
                break;
            case "constant":
                tensor.fill_(Number.Of(options.Value));
                break;
            case "uniform":
                tensor.uniform_(options.Low, options.High, generator!);
                break;
            case "normal":
                tensor.normal_(options.Mean, options.StandardDeviation, generator!);
                break;
            case "truncated-normal":
                FillTruncatedNormal(tensor, options, generator);
                break;
            case "orthogonal":
                FillOrthogonal(tensor, options.Gain, generator);
                break;
            default:
                var spread = Spread(tensor, options);
                if (options.Name.EndsWith("uniform", StringComparison.Ordinal))
                {
                    var bound = Math.Sqrt(3) * spread; // a uniform distribution in +-b has a spread of b / sqrt(3)
                    tensor.uniform_(-bound, bound, generator!);
                }
                else
                {
                    tensor.normal_(0, spread, generator!);
                }
                break;
        }
    }

    /// <summary>
    /// Fills every weight with two axes or more and sets biases to 0; other vectors (scales of normalisations) stay. Each weight has a
    /// random stream of its own, so that adding a layer leaves the others as they were.
    /// </summary>
    /// <param name="module">The module.</param>
    /// <param name="options">Which values.</param>
    /// <param name="seed">Seed of the run.</param>
    public static void Apply(nn.Module module, InitializerOptions options, long seed)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var ungraded = no_grad();
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (parameter.Dimensions >= 2)
            {
                using var generator = new Generator((ulong)RandomStream.SeedAt(seed, RandomPurpose.Initialization, StableHash(name)), parameter.device);
                Fill(parameter, options, generator);
            }
            else if (name.Split('.')[^1].StartsWith("bias", StringComparison.Ordinal))
            {
                parameter.zero_();
            }
        }
    }

    /// <summary>Numbers of inputs and outputs of a weight, <c>[outputs, inputs, ...]</c>.</summary>
    /// <param name="tensor">Two axes or more.</param>
    /// <exception cref="ShapeException">The tensor has fewer than two axes.</exception>
    public static (long FanIn, long FanOut) Fans(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var shape = tensor.Sizes();
        if (shape.Length < 2)
        {
            throw new ShapeException("Initializers.Fans", nameof(tensor), "[outputs, inputs, ...]", shape, "Use normal, uniform, zeros or ones for vectors.");
        }
        var field = shape.Skip(2).Aggregate(1L, (product, size) => product * size);
        return (shape[1] * field, shape[0] * field);
    }

    private static double Spread(Tensor tensor, InitializerOptions options)
    {
        var (fanIn, fanOut) = Fans(tensor);
        if (options.Name.StartsWith("xavier", StringComparison.Ordinal) || options.Name.StartsWith("glorot", StringComparison.Ordinal))
        {
            return options.Gain * Math.Sqrt(2.0 / (fanIn + fanOut));
        }
        return options.Name.StartsWith("lecun", StringComparison.Ordinal)
            ? Math.Sqrt(1.0 / fanIn)
            : GainOf(options) / Math.Sqrt(options.UseFanOut ? fanOut : fanIn);
    }

    private static double GainOf(InitializerOptions options) => options.Nonlinearity switch
    {
        "relu" => Math.Sqrt(2),
        "leaky-relu" => Math.Sqrt(2 / (1 + (options.NegativeSlope * options.NegativeSlope))),
        "tanh" => 5.0 / 3,
        "selu" => 0.75,
        _ => 1,
    };

    private static void FillTruncatedNormal(Tensor tensor, InitializerOptions options, Generator? generator)
    {
        if (options.StandardDeviation == 0)
        {
            tensor.fill_(Number.Of(Math.Clamp(options.Mean, options.Low, options.High)));
            return;
        }
        // By the inverse of the distribution function: uniform between its values at the bounds.
        var (low, high) = (TwiceCumulative((options.Low - options.Mean) / options.StandardDeviation), TwiceCumulative((options.High - options.Mean) / options.StandardDeviation));
        tensor.uniform_(low - 1, high - 1, generator!).erfinv_().mul_(Number.Of(options.StandardDeviation * Math.Sqrt(2))).add_(Number.Of(options.Mean)).clamp_(Number.Of(options.Low), Number.Of(options.High));
    }

    private static void FillOrthogonal(Tensor tensor, double gain, Generator? generator)
    {
        var (_, _) = Fans(tensor);
        var rows = tensor.Sizes()[0];
        var columns = tensor.numel() / rows;
        var flat = torch.empty([Math.Max(rows, columns), Math.Min(rows, columns)], ScalarType.Float64, tensor.device).normal_(0, 1, generator!);
        var (q, r) = torch.linalg.qr(flat);
        q = q * r.diagonal().sign(); // makes the result uniform over orthogonal matrices (Mezzadri, 2007)
        q = rows < columns ? q.t() : q;
        tensor.copy_(q.reshape(tensor.Sizes()).mul_(Number.Of(gain)));
    }

    /// <summary>Twice the standard normal distribution function, <c>1 + erf(x / sqrt 2)</c>.</summary>
    private static double TwiceCumulative(double x)
    {
        using var value = torch.tensor(x / Math.Sqrt(2), ScalarType.Float64);
        using var result = value.erf();
        return 1 + result.item<double>();
    }

    /// <summary>FNV-1a: the same in every process, unlike string.GetHashCode.</summary>
    private static long StableHash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }
        return (long)hash;
    }
}
