using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Lets libtorch take only such GPU kernels as give the same bits for the same inputs: some of the usual ones add with atomic operations,
/// in the order in which threads happen to arrive. A setting of the process, which the CPU does not need. Source: PyTorch, "Reproducibility".
/// </summary>
public static unsafe class DeterministicKernels
{
    private static readonly Lock Gate = new();
    private static readonly Lazy<Exports?> Native = new(Exports.Find, LazyThreadSafetyMode.ExecutionAndPublication);
    private static int _users;
    private static bool _isGivenUp;

    /// <summary>Whether they are in use now.</summary>
    public static bool AreOn
    {
        get
        {
            lock (Gate)
            {
                return _users > 0 && !_isGivenUp && Native.Value is not null;
            }
        }
    }

    /// <summary>Takes them until the result, and that of everybody who asked meanwhile, is disposed.</summary>
    /// <param name="device">Where the work is done; on any but a GPU nothing is changed.</param>
    public static IDisposable Use(DeviceType device)
    {
        if (device != DeviceType.CUDA)
        {
            return Nothing.Instance;
        }
        lock (Gate)
        {
            if (_users++ == 0)
            {
                Native.Value?.Set(true);
            }
        }
        return new Leave();
    }

    /// <summary>Goes on without them until nobody uses them any more: something that has no such kernel is needed.</summary>
    public static void GiveUp()
    {
        lock (Gate)
        {
            _isGivenUp = true;
            Native.Value?.Set(false);
        }
    }

    /// <summary>Whether libtorch refused an operation because it has no deterministic kernel.</summary>
    /// <param name="error">What the operation threw.</param>
    public static bool IsRefusal(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error is ExternalException && error.Message.Contains("does not have a deterministic implementation", StringComparison.Ordinal);
    }

    private static void Release()
    {
        lock (Gate)
        {
            if (--_users == 0)
            {
                _isGivenUp = false;
                Native.Value?.Set(false);
            }
        }
    }

    private sealed class Leave : IDisposable
    {
        private int _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) == 0)
            {
                Release();
            }
        }
    }

    private sealed class Nothing : IDisposable
    {
        public static readonly Nothing Instance = new();

        public void Dispose()
        {
        }
    }

    /// <summary>What TorchSharp does not bind; names of the Itanium C++ ABI (Linux, macOS).</summary>
    private sealed class Exports
    {
        private readonly nint _context, _setAlgorithms, _setConvolutions, _setFill;

        private Exports(nint context, nint setAlgorithms, nint setConvolutions, nint setFill)
            => (_context, _setAlgorithms, _setConvolutions, _setFill) = (context, setAlgorithms, setConvolutions, setFill);

        /// <summary>The functions; null where this libtorch does not export them.</summary>
        public static Exports? Find()
        {
            var library = NativeBootstrap.Loaded.Torch;
            return NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out var context)
                && NativeLibrary.TryGetExport(library, "_ZN2at7Context26setDeterministicAlgorithmsEbb", out var setAlgorithms)
                && NativeLibrary.TryGetExport(library, "_ZN2at7Context21setDeterministicCuDNNEb", out var setConvolutions)
                && NativeLibrary.TryGetExport(library, "_ZN2at7Context39setDeterministicFillUninitializedMemoryEb", out var setFill)
                ? new(context, setAlgorithms, setConvolutions, setFill)
                : null;
        }

        public void Set(bool isOn)
        {
            var context = ((delegate* unmanaged<nint>)_context)();
            ((delegate* unmanaged<nint, byte, void>)_setFill)(context, 0); // else every empty tensor would be filled
            ((delegate* unmanaged<nint, byte, void>)_setConvolutions)(context, isOn ? (byte)1 : (byte)0);
            ((delegate* unmanaged<nint, byte, byte, void>)_setAlgorithms)(context, isOn ? (byte)1 : (byte)0, 0); // 0: refuse, since attention ignores a wish
        }
    }
}
