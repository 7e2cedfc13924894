namespace Nabla.Core;

/// <summary>One run of a recomputed part: what its second run needs to be the same as its first. It holds no activation.</summary>
internal sealed class RecomputeCall
{
    [ThreadStatic]
    private static List<Tensor>? _handedOver;

    private readonly Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> _function;
    private readonly Tensor[] _parameters, _buffers;
    private readonly bool[] _requiresGradient;
    private readonly RandomState _random;
    private readonly DeviceType _device;
    private readonly ScalarType _computeType;
    private List<Tensor> _outputs = [];

    public RecomputeCall(Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> function, IReadOnlyList<Tensor> inputs, Tensor[] parameters, IReadOnlyList<Tensor> buffers)
    {
        (_function, _parameters, _buffers) = (function, parameters, [.. buffers]);
        _requiresGradient = [.. inputs.Select(input => input.requires_grad)];
        _random = RandomState.Capture(inputs[0].device);
        _device = inputs[0].device_type;
        _computeType = Autocast.TypeOn(_device);
    }

    /// <summary>Number of arguments of the autograd function before the first input.</summary>
    public const int LeadingArguments = 1;

    /// <summary>Keeps an error of the second run for the thread that asked for it.</summary>
    public CallbackGuard Guard { get; } = CallbackGuard.Current;

    /// <summary>Number of inputs.</summary>
    public int InputCount => _requiresGradient.Length;

    /// <summary>Number of arguments of the autograd function.</summary>
    public int Arguments => LeadingArguments + _requiresGradient.Length + _parameters.Length;

    /// <summary>
    /// The first run. Gradients are on, because layers may choose their path by it; the graph, and with it the activations, is let go at once.
    /// </summary>
    public IReadOnlyList<Tensor> Forward(IReadOnlyList<Tensor> inputs)
    {
        using var scope = NewDisposeScope();
        var outputs = _function(Leaves(inputs));
        if (outputs.Count == 0)
        {
            throw new ArgumentException("Recompute.Run: expected a function with at least one output, got none.");
        }
        return _outputs = [.. outputs.Select(output => output.detach().MoveToOuterDisposeScope())];
    }

    /// <summary>What the first run gave; the graph takes it over.</summary>
    public List<Tensor> TakeOutputs()
    {
        var outputs = _outputs;
        _outputs = [];
        return outputs;
    }

    /// <summary>The second run and its backward pass.</summary>
    /// <param name="inputs">The inputs of the first run.</param>
    /// <param name="cotangents">Gradient of each output, an invalid tensor where it was not used; freed here, because TorchSharp would keep them until the step ends.</param>
    /// <returns>A gradient, or null, for each argument of the autograd function.</returns>
    public List<Tensor> Backward(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> cotangents)
    {
        if (is_grad_enabled())
        {
            throw new TrainingException("Recompute: gradients of gradients cannot pass through a recomputed part. Turn recompute off for this model.");
        }
        ReleaseHandedOver();
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        var leaves = Leaves(inputs);
        var buffers = _buffers.Select(buffer => buffer.detach().clone()).ToArray();
        var outputs = RunAgain(leaves);
        List<Tensor> wanted = [.. leaves.Where((_, i) => _requiresGradient[i]), .. _parameters];
        List<(Tensor Output, Tensor Cotangent)> used = [.. outputs.Zip(cotangents).Where(pair => pair.First.requires_grad && !pair.Second.IsInvalid)];
        IReadOnlyList<Tensor?> gradients = used.Count == 0
            ? new Tensor?[wanted.Count]
            : SafeAutograd.Gradients([.. used.Select(pair => pair.Output)], wanted, [.. used.Select(pair => pair.Cotangent)]);
        RestoreBuffers(buffers);
        return HandOver(gradients, cotangents);
    }

    private IReadOnlyList<Tensor> RunAgain(Tensor[] leaves)
    {
        var now = RandomState.Capture(leaves[0].device);
        try
        {
            _random.Restore();
            using var precision = _computeType == ScalarType.Float32 ? default : Autocast.Enter(_device, _computeType);
            return _function(leaves);
        }
        finally
        {
            now.Restore(); // what comes after draws as if nothing had run again
        }
    }

    /// <summary>The inputs without their history, so that the part's graph ends at them.</summary>
    private Tensor[] Leaves(IReadOnlyList<Tensor> inputs)
        => [.. inputs.Select((input, i) => _requiresGradient[i] ? input.detach().requires_grad_(true) : input.detach())];

    private void RestoreBuffers(Tensor[] before)
    {
        using var ungraded = no_grad();
        for (var i = 0; i < _buffers.Length; i++)
        {
            _buffers[i].copy_(before[i]);
        }
    }

    private List<Tensor> HandOver(IReadOnlyList<Tensor?> gradients, IReadOnlyList<Tensor> cotangents)
    {
        var results = new List<Tensor?>(new Tensor?[LeadingArguments]);
        var next = 0;
        foreach (var requires in _requiresGradient)
        {
            results.Add(requires ? gradients[next++] : null);
        }
        results.AddRange(gradients.Skip(next));
        _handedOver = [.. results.OfType<Tensor>().Select(gradient => gradient.MoveToOuterDisposeScope())];
        foreach (var cotangent in cotangents)
        {
            cotangent.Dispose();
        }
        return results!;
    }

    /// <summary>
    /// Native code shares a returned gradient only after the callback has ended, so ours is freed when the next part comes: the gradients
    /// of a whole network would else lie in memory twice.
    /// </summary>
    private static void ReleaseHandedOver()
    {
        _handedOver?.ForEach(gradient => gradient.Dispose());
        _handedOver = null;
    }
}

/// <summary>Places a <see cref="RecomputeCall"/> in the graph.</summary>
internal sealed class RecomputeFunction : autograd.MultiTensorFunction<RecomputeFunction>
{
    private const string CallKey = "call";

    public override string Name => nameof(RecomputeFunction);

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (RecomputeCall)vars[0];
        ctx.save_data(CallKey, call);
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([.. vars.Skip(RecomputeCall.LeadingArguments).Take(call.InputCount).Cast<Tensor>()]);
        return call.TakeOutputs();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        var call = (RecomputeCall)ctx.get_data(CallKey);
        return call.Guard.Protect(() => call.Backward(ctx.get_saved_variables(), grad_outputs), () => [.. new Tensor[call.Arguments]]);
    }
}
