using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// Functions of TorchSharp's library that make a node of libtorch's graph whose backward pass is a callback. TorchSharp's own classes around them
/// make delegates, thunks and arrays for each call, some 40 microseconds; this is for functions that are called thousands of times a second.
/// </summary>
internal sealed unsafe class NodeExports
{
    private static readonly Lazy<NodeExports> Instance = new(() => new(NativeBootstrap.Loaded.Shim), LazyThreadSafetyMode.ExecutionAndPublication);
    private readonly delegate* unmanaged<nint, nint, NodePointers> _create;
    private readonly delegate* unmanaged<NodePointers, void> _releaseOwner, _releaseView;
    private readonly delegate* unmanaged<NodePointers, HandleArray, byte, void> _setEdges;
    private readonly delegate* unmanaged<HandleArray, HandleArray, HandleArray, HandleArray, NodePointers, delegate* unmanaged<nuint, nint>, void> _wrap;
    private readonly delegate* unmanaged<nint, NodePointers, byte, nint> _save;
    private readonly delegate* unmanaged<nint, NodePointers, nint> _unpack;
    private readonly delegate* unmanaged<nint, void> _releaseSaved, _releaseTensor;

    [ThreadStatic]
    private static nint* _wrapped; // native memory of each thread that ever made a node; the library writes a handle there

    private NodeExports(nint shim)
    {
        nint Find(string name) => NativeLibrary.GetExport(shim, name);
        _create = (delegate* unmanaged<nint, nint, NodePointers>)Find("THSAutograd_CSharpNode_ctor");
        _releaseOwner = (delegate* unmanaged<NodePointers, void>)Find("THSAutograd_CSharpNode_disposeSharedPtr");
        _releaseView = (delegate* unmanaged<NodePointers, void>)Find("THSAutograd_CSharpNode_disposeWeakPtr");
        _setEdges = (delegate* unmanaged<NodePointers, HandleArray, byte, void>)Find("THSAutograd_CSharpNode_setNextEdges");
        _wrap = (delegate* unmanaged<HandleArray, HandleArray, HandleArray, HandleArray, NodePointers, delegate* unmanaged<nuint, nint>, void>)Find("THSAutograd_Function_wrapOutputs");
        _save = (delegate* unmanaged<nint, NodePointers, byte, nint>)Find("THSAutograd_SavedVariable_ctor");
        _unpack = (delegate* unmanaged<nint, NodePointers, nint>)Find("THSAutograd_SavedVariable_unpack");
        _releaseSaved = (delegate* unmanaged<nint, void>)Find("THSAutograd_SavedVariable_dispose");
        _releaseTensor = (delegate* unmanaged<nint, void>)Find("THSTensor_dispose");
    }

    public static NodeExports Current => Instance.Value;

    /// <summary>Makes a node; the caller owns both of its pointers.</summary>
    /// <param name="apply">Called in the backward pass: <c>HandleArray apply(nint* tensors, int count)</c>.</param>
    /// <param name="deleted">Called when the graph lets go of the node: <c>void deleted()</c>.</param>
    public NodePointers Create(nint apply, nint deleted)
    {
        var node = _create(apply, deleted);
        torch.CheckForErrors();
        return node;
    }

    /// <summary>Says which tensors the callback's results are gradients of.</summary>
    public void SetInputs(NodePointers node, HandleArray inputs)
    {
        _setEdges(node, inputs, 1);
        torch.CheckForErrors();
    }

    /// <summary>Makes the node the origin of a tensor.</summary>
    public void SetOutput(NodePointers node, HandleArray inputs, nint output)
    {
        _wrap(inputs, default, default, new() { Array = (nint)(&output), Size = 1 }, node, &Take);
        torch.CheckForErrors();
        _releaseTensor(*_wrapped); // a second handle of the same tensor
    }

    /// <summary>Keeps a tensor for the backward pass.</summary>
    public nint Save(nint tensor, NodePointers node)
    {
        var saved = _save(tensor, node, 0);
        torch.CheckForErrors();
        return saved;
    }

    /// <summary>The tensor that was kept, as a new handle. It throws when the tensor has been changed in place since.</summary>
    public nint Unpack(nint saved, NodePointers node)
    {
        var tensor = _unpack(saved, node);
        torch.CheckForErrors();
        return tensor;
    }

    public void ReleaseSaved(nint saved) => _releaseSaved(saved);

    public void ReleaseTensor(nint tensor) => _releaseTensor(tensor);

    /// <summary>Lets go of the pointer that keeps the node alive: from then on its output does.</summary>
    public void ReleaseOwner(NodePointers node) => _releaseOwner(node);

    public void ReleaseView(NodePointers node) => _releaseView(node);

    [UnmanagedCallersOnly]
    private static nint Take(nuint count)
    {
        if (_wrapped is null)
        {
            _wrapped = (nint*)NativeMemory.Alloc((nuint)sizeof(nint));
        }
        return (nint)_wrapped;
    }
}

/// <summary>A node of the graph as TorchSharp's library hands it out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NodePointers
{
    /// <summary>Keeps it alive.</summary>
    public nint Owner;

    /// <summary>Does not.</summary>
    public nint View;
}

/// <summary>Handles of tensors in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HandleArray
{
    /// <summary>The first.</summary>
    public nint Array;

    /// <summary>How many.</summary>
    public long Size;
}
