using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>A few bytes of x64 machine code that stay for the life of the process, for what no managed function may do: let a C++ exception pass.</summary>
internal sealed partial class MachineCode
{
    private const int Page = 4096, ReadAndExecute = 5; // sys/mman.h
    private readonly List<byte> _code = [];

    /// <summary>Appends instructions.</summary>
    public MachineCode Add(params ReadOnlySpan<byte> instructions)
    {
        _code.AddRange(instructions);
        return this;
    }

    /// <summary>Appends <c>mov rax, value</c>.</summary>
    public MachineCode LoadRax(nint value) => Add(0x48, 0xB8).Add(BitConverter.GetBytes((long)value));

    /// <summary>Appends a conditional jump over what the other part writes.</summary>
    /// <param name="opcode">Its short form, such as 0x75 for <c>jne</c>.</param>
    /// <param name="target">Where it goes.</param>
    public MachineCode Jump(byte opcode, Label target)
    {
        Add(opcode, 0);
        target.Uses.Add(_code.Count);
        return this;
    }

    /// <summary>The label is here.</summary>
    public MachineCode Mark(Label label)
    {
        foreach (var use in label.Uses)
        {
            _code[use - 1] = (byte)checked((sbyte)(_code.Count - use));
        }
        return this;
    }

    /// <summary>Makes it executable.</summary>
    /// <returns>Its address; 0 where the system forbids new code.</returns>
    public nint Build()
    {
        var place = new HugePages().Map(Page);
        if (place == 0)
        {
            return 0;
        }
        Marshal.Copy([.. _code], 0, place, _code.Count);
        return Protect(place, Page, ReadAndExecute) == 0 ? place : 0;
    }

    /// <summary>A place in the code that is jumped to before it is known.</summary>
    internal sealed class Label
    {
        /// <summary>Where it is used.</summary>
        public List<int> Uses { get; } = [];
    }

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);
}
