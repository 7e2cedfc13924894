using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Updates as addresses in memory, cut into pieces of fixed size, for kernels written with .NET vectors: one pass over parameter, gradient and
/// state where operations one by one make five to ten. The pieces do not depend on the number of threads, so sums over them do not either.
/// Arrays are reused from step to step. Not thread-safe.
/// </summary>
/// <param name="pieceSize">Entries in a piece.</param>
internal sealed class VectorLists(int pieceSize = VectorLists.PieceSize)
{
    /// <summary>Entries in a piece unless the rule wants others: small enough to divide work, large enough that a call for it costs nothing.</summary>
    internal const int PieceSize = 1 << 16;
    private const long ThreadsFrom = 1 << 15; // entries; fewer are a few microseconds of work

    private nint[] _parameters = [], _gradients = [];
    private nint[][] _states = [];
    private Piece[] _pieces = [];
    private int[] _work = []; // entries of each piece
    private long[] _lengths = [];
    private readonly List<ParameterSlot> _moving = [];
    private long _total;
    private bool _isCut;

    /// <summary>The pieces, tensor by tensor.</summary>
    public IReadOnlyList<Piece> Pieces => _pieces;

    /// <summary>How many tensors there are.</summary>
    public int Count => _lengths.Length;

    /// <summary>Address of each parameter.</summary>
    public nint[] Parameters => _parameters;

    /// <summary>Address of each gradient.</summary>
    public nint[] Gradients => _gradients;

    /// <summary>Address of each state tensor, by role.</summary>
    public nint[][] States => _states;

    /// <summary>Parameters that <see cref="TryFind"/> found a gradient for, in the order of the addresses.</summary>
    public IReadOnlyList<ParameterSlot> Moving => _moving;

    /// <summary>
    /// Finds the parameters of a group that have a gradient, and both addresses, without an object for each gradient. False when one of them is not
    /// float32, dense and contiguous on the CPU: then the group must be taken as updates.
    /// </summary>
    /// <param name="slots">Parameters of the group.</param>
    /// <param name="roles">How many state tensors are wanted, from the first; <see cref="TryFindStates"/> finds them.</param>
    public bool TryFind(ParameterSlot[] slots, int roles)
    {
        _moving.Clear();
        var isKnown = Resize(slots.Length, roles);
        foreach (var slot in slots)
        {
            var form = DenseMemory.FindGradient(slot.Value, ScalarType.Float32, out var gradient, out var length);
            if (form == GradientForm.None)
            {
                continue;
            }
            var i = _moving.Count;
            if (form == GradientForm.Other || !DenseMemory.TryFind(slot.Value, ScalarType.Float32, out _parameters[i], out var count) || count != length)
            {
                _isCut = false; // some lengths are new, and the pieces are not
                return false;
            }
            _gradients[i] = gradient;
            isKnown &= _lengths[i] == length;
            _lengths[i] = length;
            _moving.Add(slot);
        }
        for (var i = _moving.Count; i < slots.Length; i++)
        {
            isKnown &= _lengths[i] == 0;
            _lengths[i] = 0; // no gradient, nothing to do
        }
        CutUnless(isKnown);
        return true;
    }

    /// <summary>Finds the state of the <see cref="Moving"/> parameters; false where it does not lie as they do.</summary>
    public bool TryFindStates()
    {
        for (var i = 0; i < _moving.Count; i++)
        {
            for (var role = 0; role < _states.Length; role++)
            {
                if (!DenseMemory.TryFind(_moving[i].State[role], ScalarType.Float32, out _states[role][i], out var count) || count != _lengths[i])
                {
                    return false;
                }
            }
        }
        return true;
    }

    /// <summary>Takes updates of one kind, if the kernels can read them: float32 or float64 on the CPU, in one layout.</summary>
    /// <param name="kind">Their kind.</param>
    /// <param name="updates">The updates.</param>
    /// <param name="roles">How many state tensors are wanted, from the first.</param>
    public bool TryFill(ParameterKind kind, IReadOnlyList<ParameterUpdate> updates, int roles)
    {
        if (!CanRead(kind) || !kind.IsContiguous || !UpdateLists.HaveOneLayout(updates))
        {
            return false;
        }
        var isKnown = Resize(updates.Count, roles);
        for (var i = 0; i < updates.Count; i++)
        {
            var (slot, gradient, _) = updates[i];
            var length = slot.Value.NumberOfElements;
            if (length > int.MaxValue / sizeof(double))
            {
                _isCut = false;
                return false; // TorchSharp gives no more than 2 GB of memory as a span
            }
            isKnown &= _lengths[i] == length;
            _lengths[i] = length;
            (_parameters[i], _gradients[i]) = (Address(slot.Value), Address(gradient));
            for (var role = 0; role < roles; role++)
            {
                _states[role][i] = Address(slot.State[role]);
            }
        }
        CutUnless(isKnown);
        return true;
    }

    /// <summary>Whether the kernels know a type and device.</summary>
    public static bool CanRead(ParameterKind kind) => kind is { Device: DeviceType.CPU, Type: ScalarType.Float32 or ScalarType.Float64 };

    /// <summary>Calls a kernel for every piece, on as many threads as libtorch uses.</summary>
    /// <param name="kernel">Takes the number of a piece.</param>
    public void Run(Action<int> kernel)
    {
        if (_total >= ThreadsFrom)
        {
            KernelTeam.Run(_work, kernel);
            return;
        }
        Run(_pieces.Length, _total, kernel);
    }

    /// <summary>Calls a function for 0, 1, ... on as many threads as libtorch uses, when the work is worth it.</summary>
    /// <param name="count">How many calls.</param>
    /// <param name="entries">Entries that they touch together.</param>
    /// <param name="body">The function.</param>
    public static void Run(int count, long entries, Action<int> body)
    {
        if (entries >= ThreadsFrom)
        {
            KernelTeam.Run(count, body);
            return;
        }
        for (var i = 0; i < count; i++)
        {
            body(i);
        }
    }

    /// <summary>Where a tensor's entries begin; it must be alive while the address is used.</summary>
    internal static unsafe nint Address(Tensor tensor) => tensor.NumberOfElements == 0 ? 0 : (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    /// <summary>Room for so many tensors; false where the pieces do not fit any more.</summary>
    private bool Resize(int count, int roles)
    {
        if (_lengths.Length == count && _states.Length == roles)
        {
            return true;
        }
        (_parameters, _gradients, _lengths) = (new nint[count], new nint[count], new long[count]);
        _states = [.. Enumerable.Range(0, roles).Select(_ => new nint[count])];
        return false;
    }

    private void CutUnless(bool isKnown)
    {
        if (!isKnown || !_isCut)
        {
            _isCut = true;
            _total = _lengths.Sum();
            _pieces = [.. _lengths.Index().SelectMany(length => Cut(length.Index, length.Item))];
            _work = [.. _pieces.Select(piece => piece.Count)];
        }
    }

    private IEnumerable<Piece> Cut(int tensor, long length)
    {
        for (long from = 0; from < length; from += pieceSize)
        {
            yield return new(tensor, from, (int)Math.Min(pieceSize, length - from));
        }
    }
}

/// <summary>A part of one tensor's entries.</summary>
/// <param name="Tensor">Number of the tensor.</param>
/// <param name="From">First entry.</param>
/// <param name="Count">How many.</param>
internal readonly record struct Piece(int Tensor, long From, int Count);
