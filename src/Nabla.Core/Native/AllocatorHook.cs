using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// Makes libtorch take the memory of large tensors on the CPU from a <see cref="BlockCache"/>. libtorch asks an object of the class
/// <c>c10::Allocator</c> (c10/core/Allocator.h); ours is its default one with two entries of the virtual table replaced. Small requests, and those
/// that cannot be met, go on to the default one without a managed frame between, so its exceptions reach whoever asked. Whether the
/// table and the result look as they are expected is seen in memory first; where they do not, libtorch keeps its own.
/// </summary>
internal sealed unsafe class AllocatorHook
{
    private const int LeastBytes = 64 << 10; // smaller ones are many, and the C library's heap is good at them
    private const int Before = 2, Slots = 16; // words: offset and type before the first entry; more than the table has, so that later additions are kept
    private const int Allocate = 2, IsSimple = 3, RawDeleter = 4; // after two destructors
    private const int ResultWords = 3; // c10::DataPtr: data, deleter and context, device
    private static AllocatorHook? _current;

    private readonly BlockCache _blocks;
    private readonly nint _default, _own;
    private readonly delegate* unmanaged<nint, void> _defaultDeleter;
    private readonly nint[] _result = new nint[ResultWords]; // with 0 where the address goes
    private readonly short _device;
    private readonly byte* _states = (byte*)NativeMemory.AllocZeroed(2); // whether the runtime has ended, and whether we pause

    private AllocatorHook(BlockCache blocks, nint allocator, nint isSimple, nint type)
    {
        (_blocks, _default) = (blocks, allocator);
        var table = *(nint**)allocator;
        if (table[-1] != type || table[IsSimple] != isSimple)
        {
            return;
        }
        var deleter = ((delegate* unmanaged<nint, nint>)table[RawDeleter])(allocator);
        _defaultDeleter = (delegate* unmanaged<nint, void>)deleter;
        var free = new MachineCode.Label();
        var ownDeleter = new MachineCode()
            .LoadRax((nint)_states).Add(0x80, 0x38, 0x00).Jump(0x75, free) // cmp byte [rax], 0; jne: the runtime has ended, and the process will soon
            .LoadRax((nint)(delegate* unmanaged<nint, void>)&OnFree).Add(0xFF, 0xE0 /* jmp rax */).Mark(free).Add(0xC3 /* ret */).Build();
        if (ownDeleter == 0 || !LearnResult(table[Allocate], deleter, ownDeleter, out _device))
        {
            return;
        }
        var own = (nint*)NativeMemory.Alloc((Before + Slots + 1) * (nuint)sizeof(nint));
        new Span<nint>(table - Before, Before + Slots).CopyTo(new(own + 1, Before + Slots));
        own[1 + Before + Allocate] = AllocateCode(table[Allocate]);
        own[1 + Before + RawDeleter] = new MachineCode().LoadRax(ownDeleter).Add(0xC3).Build();
        if (own[1 + Before + Allocate] == 0 || own[1 + Before + RawDeleter] == 0)
        {
            NativeMemory.Free(own);
            return;
        }
        own[0] = (nint)(own + 1 + Before); // the object is its table's address
        _own = (nint)own;
    }

    /// <summary>Installs it.</summary>
    /// <param name="torch">Handle of libtorch.</param>
    /// <param name="blocks">Where memory comes from.</param>
    /// <returns>The hook, or null where this libtorch or this system is another one than expected.</returns>
    public static AllocatorHook? Install(nint torch, BlockCache blocks)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64
            || !NativeLibrary.TryGetExport(torch, "_ZN3c1022GetDefaultCPUAllocatorEv", out var find)
            || !NativeLibrary.TryGetExport(torch, "_ZN3c1015SetCPUAllocatorEPNS_9AllocatorEh", out var set)
            || !NativeLibrary.TryGetExport(torch, "_ZNK3c109Allocator18is_simple_data_ptrERKNS_7DataPtrE", out var isSimple)
            || !NativeLibrary.TryGetExport(torch, "_ZTIN3c1019DefaultCPUAllocatorE", out var type))
        {
            return null;
        }
        AllocatorHook hook = new(blocks, ((delegate* unmanaged<nint>)find)(), isSimple, type);
        if (hook._own == 0)
        {
            return null;
        }
        _current = hook;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => hook._states[0] = 1; // destructors of native code run after the runtime's end
        ((delegate* unmanaged<nint, byte, void>)set)(hook._own, 0);
        return hook;
    }

    /// <summary>
    /// Lets the default allocator serve from now on, or not any more. Our object stays in place: libtorch may give back through it what it got from it.
    /// </summary>
    public void Pause(bool isPaused) => Volatile.Write(ref _states[1], isPaused ? (byte)1 : (byte)0);

    /// <summary>Allocates by the default allocator and looks where its result holds what.</summary>
    private bool LearnResult(nint allocate, nint deleter, nint ownDeleter, out short device)
    {
        var result = stackalloc nint[2 * (ResultWords + 1)];
        ((delegate* unmanaged<nint*, nint, nuint, void>)allocate)(result, _default, 64);
        var address = result[0];
        (device, var isExpected) = (*(short*)(result + ResultWords), address != 0);
        var (addresses, deleters) = (0, 0);
        for (var i = 0; i < ResultWords; i++)
        {
            _result[i] = result[i] == deleter ? ownDeleter : 0;
            addresses += result[i] == address ? 1 : 0;
            deleters += result[i] == deleter ? 1 : 0;
        }
        isExpected &= addresses == 2 && deleters == 1 && (byte)device == 0; // 0: the CPU
        if (isExpected)
        {
            _defaultDeleter(address);
        }
        return isExpected;
    }

    /// <summary><c>DataPtr allocate(this, bytes)</c>: rdi is where the result goes, rsi the object, rdx the size.</summary>
    private nint AllocateCode(nint original)
    {
        MachineCode.Label pass = new();
        var code = new MachineCode()
            .Add(0x48, 0x81, 0xFA).Add(BitConverter.GetBytes(LeastBytes)) // cmp rdx, LeastBytes
            .Jump(0x72, pass) // jb
            .LoadRax((nint)_states).Add(0x66, 0x83, 0x38, 0x00).Jump(0x75, pass); // cmp word [rax], 0; jne
        return code
            .Add(0x57, 0x56, 0x52) // push rdi, rsi, rdx
            .LoadRax((nint)(delegate* unmanaged<nint*, nint, nuint, byte>)&OnAllocate)
            .Add(0xFF, 0xD0) // call rax
            .Add(0x5A, 0x5E, 0x5F) // pop rdx, rsi, rdi
            .Add(0x84, 0xC0).Jump(0x74, pass) // test al, al; je
            .Add(0x48, 0x89, 0xF8, 0xC3) // mov rax, rdi; ret
            .Mark(pass)
            .LoadRax(original)
            .Add(0xFF, 0xE0) // jmp rax
            .Build();
    }

    [UnmanagedCallersOnly]
    private static byte OnAllocate(nint* result, nint allocator, nuint bytes)
    {
        try
        {
            return bytes <= long.MaxValue / 2 && _current!.TryAllocate(result, (long)bytes) ? (byte)1 : (byte)0;
        }
        catch (OutOfMemoryException)
        {
            return 0; // of the managed heap; libtorch's own allocator says what it can
        }
    }

    [UnmanagedCallersOnly]
    private static void OnFree(nint address)
    {
        if (address != 0 && !_current!._blocks.Return(address))
        {
            _current._defaultDeleter(address); // a small one that was asked for without its DataPtr
        }
    }

    private bool TryAllocate(nint* result, long bytes)
    {
        var address = _blocks.Take(bytes);
        if (address == 0)
        {
            return false;
        }
        for (var i = 0; i < ResultWords; i++)
        {
            result[i] = _result[i] == 0 ? address : _result[i];
        }
        *(short*)(result + ResultWords) = _device;
        return true;
    }
}
