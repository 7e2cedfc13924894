using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core.Kernels;

/// <summary>
/// An operation of ours in libtorch's graph. What TorchSharp makes anew for each call (delegates, native thunks, arrays; some 40 microseconds) is kept here and used
/// again when the graph has let go of it. In the backward pass errors are kept from native frames, saved tensors are let go at once, and the handles of gradients do
/// not pile up until the step ends. A node can be passed backwards once.
/// </summary>
internal sealed unsafe class FusedNode
{
    private static readonly ConcurrentBag<FusedNode> Free = [];
    private static readonly ConcurrentBag<FusedNode> All = []; // native code holds their thunks: they stay for the life of the process

    [ThreadStatic]
    private static List<Tensor>? _handedOver;

    private readonly Apply _apply;
    private readonly Deleted _deleted;
    private readonly nint _applyThunk, _deletedThunk;
    private readonly List<nint> _saved = [];
    private readonly List<int> _edges = []; // the gradients, by their places among those of the body, that go on through the graph
    private nint* _results;
    private int _room;
    private string _name = "";
    private NodePointers _node;
    private Func<IReadOnlyList<Tensor>, Tensor, Tensor?[]>? _body;
    private bool _isDone;

    private FusedNode()
    {
        (_apply, _deleted) = (OnApply, OnDeleted);
        (_applyThunk, _deletedThunk) = (Marshal.GetFunctionPointerForDelegate(_apply), Marshal.GetFunctionPointerForDelegate(_deleted));
        All.Add(this);
    }

    /// <summary>
    /// Lets go of the gradients that the last pass on this thread returned: native code shares them only after the callback has ended, so the next
    /// one, or the end of all, does it.
    /// </summary>
    public static void Release()
    {
        _handedOver?.ForEach(gradient => gradient.Dispose());
        _handedOver = null;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate HandleArray Apply(nint tensors, int count);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void Deleted();

    /// <summary>Makes a tensor the result of an operation on others; where gradients are off, or none of the inputs requires one, it stays as it is.</summary>
    /// <param name="name">The operation, for messages.</param>
    /// <param name="output">The result, new and without a graph.</param>
    /// <param name="inputs">What it was computed from, but for parameters.</param>
    /// <param name="parameters">Parameters that it was computed from, whose gradients the backward pass gives to <see cref="DirectGradients.Deliver"/>.</param>
    /// <param name="saved">What the backward pass needs: inputs, parameters, or tensors without a graph.</param>
    /// <param name="backward">Gets the saved tensors and the gradient of the result, gives a gradient or null for each input and then for each parameter.</param>
    public static void Attach(
        string name, Tensor output, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> saved, Func<IReadOnlyList<Tensor>, Tensor, Tensor?[]> backward)
    {
        if (!IsTracked(inputs) && !IsTracked(parameters))
        {
            return;
        }
        var node = Free.TryTake(out var used) ? used : new();
        node.Fill(name, output, inputs, parameters, saved, backward);
    }

    /// <summary>Whether an operation on these tensors becomes a part of the graph.</summary>
    public static bool IsTracked(ReadOnlySpan<Tensor> inputs)
    {
        if (!is_grad_enabled())
        {
            return false;
        }
        foreach (var input in inputs)
        {
            if (input.requires_grad)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The tensor itself where it is contiguous, else a copy without a graph.</summary>
    public static Tensor Dense(Tensor x)
    {
        if (x.is_contiguous())
        {
            return x;
        }
        using var ungraded = no_grad();
        return x.contiguous();
    }

    private void Fill(
        string name, Tensor output, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> saved, Func<IReadOnlyList<Tensor>, Tensor, Tensor?[]> backward)
    {
        (_name, _body, _isDone) = (name, backward, false);
        var native = NodeExports.Current;
        _node = native.Create(_applyThunk, _deletedThunk);
        try
        {
            Reserve(inputs.Length + parameters.Length);
            AddEdges(inputs, parameters);
            HandleArray handles = new() { Array = (nint)_results, Size = _edges.Count };
            native.SetInputs(_node, handles);
            native.SetOutput(_node, handles, output.Handle);
            foreach (var tensor in saved)
            {
                _saved.Add(native.Save(tensor.Handle, _node));
            }
        }
        finally
        {
            native.ReleaseOwner(_node); // the output keeps it; without one, OnDeleted is called here
        }
    }

    /// <summary>
    /// All inputs and parameters; where gradients of parameters are expected to be handed over, inputs and those parameters that are results of other operations, and
    /// one of the others if without it the result would seem to need no gradient.
    /// </summary>
    private void AddEdges(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> parameters)
    {
        var isExpected = DirectGradients.AreExpected;
        var isTracked = isExpected && IsTracked(inputs);
        for (var i = 0; i < inputs.Length; i++)
        {
            AddEdge(i, inputs[i]);
        }
        for (var i = 0; i < parameters.Length; i++)
        {
            if (!isExpected || !isTracked || !parameters[i].is_leaf)
            {
                AddEdge(inputs.Length + i, parameters[i]);
                isTracked = isTracked || parameters[i].requires_grad;
            }
        }
    }

    private void AddEdge(int place, Tensor tensor)
    {
        _results[_edges.Count] = tensor.Handle;
        _edges.Add(place);
    }

    private void Reserve(int count)
    {
        if (_room < count)
        {
            _results = (nint*)NativeMemory.Realloc(_results, (nuint)count * (nuint)sizeof(nint));
            _room = count;
        }
    }

    private HandleArray OnApply(nint tensors, int count)
    {
        new Span<nint>(_results, _edges.Count).Clear(); // 0: no gradient
        CallbackGuard.Current.Protect(() => Run(((nint*)tensors)[0]), () => false);
        return new() { Array = (nint)_results, Size = _edges.Count };
    }

    private bool Run(nint handle)
    {
        Release();
        if (handle == 0)
        {
            return true; // the result has no gradient, so neither have the inputs
        }
        using var scope = NewDisposeScope();
        var cotangent = Tensor.UnsafeCreateTensor(handle);
        CheckPass();
        var native = NodeExports.Current;
        var saved = new Tensor[_saved.Count];
        for (var i = 0; i < saved.Length; i++)
        {
            saved[i] = Tensor.UnsafeCreateTensor(native.Unpack(_saved[i], _node));
        }
        _isDone = true;
        ReleaseSaved(); // freed as soon as this pass no longer needs it
        var gradients = _body!(saved, cotangent);
        _body = null;
        for (var i = 0; i < _edges.Count; i++)
        {
            if (gradients[_edges[i]] is { } gradient)
            {
                _results[i] = HandOver(gradient).Handle;
            }
        }
        return true; // what goes nowhere is disposed with the scope
    }

    private void CheckPass()
    {
        if (is_grad_enabled())
        {
            throw new TrainingException($"{_name}: gradients of gradients cannot pass through a fused kernel. Run the forward pass under FusedOperations.Use(false).");
        }
        if (_isDone)
        {
            throw new TrainingException($"{_name}: the backward pass went through the same forward pass twice. Run the forward pass again, or run it under FusedOperations.Use(false), which keeps its tensors.");
        }
    }

    /// <summary>Keeps a gradient that a pass returns until <see cref="Release"/>.</summary>
    private static Tensor HandOver(Tensor gradient)
    {
        (_handedOver ??= []).Add(gradient.MoveToOuterDisposeScope());
        return gradient;
    }

    private void OnDeleted()
    {
        ReleaseSaved();
        _edges.Clear();
        _body = null;
        NodeExports.Current.ReleaseView(_node);
        _node = default;
        Free.Add(this);
    }

    private void ReleaseSaved()
    {
        foreach (var saved in _saved)
        {
            NodeExports.Current.ReleaseSaved(saved);
        }
        _saved.Clear();
    }
}
