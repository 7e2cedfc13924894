using System.Runtime.InteropServices;
using System.Text;

namespace Nabla.Core.Native;

/// <summary>
/// <c>torch::autograd::profiler::RecordProfile</c> of libtorch: while such an object lives, every operation of its thread is noted; its
/// destructor writes them to a file as a Chrome trace. The names are those of the Itanium C++ ABI with libstdc++ (Linux).
/// </summary>
internal sealed unsafe class ProfilerExports
{
    // sizeof(RecordProfile) is 16 (a unique_ptr and a reference); more does no harm.
    private const int ObjectSize = 64;

    private const string Constructor = "_ZN5torch8autograd8profiler13RecordProfileC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
    private const string Destructor = "_ZN5torch8autograd8profiler13RecordProfileD1Ev";
    private static readonly Lazy<ProfilerExports?> Instance = new(Find, LazyThreadSafetyMode.ExecutionAndPublication);
    private readonly nint _constructor, _destructor;

    private ProfilerExports(nint constructor, nint destructor) => (_constructor, _destructor) = (constructor, destructor);

    /// <summary>The exports of the loaded library, or null where it has none.</summary>
    public static ProfilerExports? Current => Instance.Value;

    /// <summary>Begins to note the operations of the calling thread. Give the result to <see cref="Stop"/> on the same thread.</summary>
    public nint Start(string file)
    {
        var name = Encoding.UTF8.GetBytes(file + "\0");
        var recorder = (nint)NativeMemory.AllocZeroed(ObjectSize);
        fixed (byte* characters = name)
        {
            // std::string of libstdc++'s C++11 ABI: pointer, length, and capacity in the union; the callee copies what it needs.
            var text = stackalloc nint[4] { (nint)characters, name.Length - 1, name.Length - 1, 0 };
            ((delegate* unmanaged<nint, nint*, void>)_constructor)(recorder, text);
        }
        return recorder;
    }

    /// <summary>Ends the noting and writes the file.</summary>
    public void Stop(nint recorder)
    {
        ((delegate* unmanaged<nint, void>)_destructor)(recorder);
        NativeMemory.Free((void*)recorder);
    }

    private static ProfilerExports? Find()
    {
        var library = NativeBootstrap.Loaded.Torch;
        return OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(library, Constructor, out var constructor) && NativeLibrary.TryGetExport(library, Destructor, out var destructor)
            ? new(constructor, destructor)
            : null;
    }
}
