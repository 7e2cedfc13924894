using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core;

/// <summary>What the processor can do that decides the speed of deep learning on it.</summary>
public sealed record ProcessorFeatures
{
    /// <summary>Its name, such as <c>AMD EPYC 7R13</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Cores that this process may use (container limits included).</summary>
    public required int Cores { get; init; }

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    public required bool Avx2 { get; init; }

    /// <summary>512-bit vectors.</summary>
    public required bool Avx512 { get; init; }

    /// <summary>bfloat16 products in 512-bit vectors.</summary>
    public required bool Avx512Bf16 { get; init; }

    /// <summary>8-bit integer products (AVX-512 or AVX VNNI).</summary>
    public required bool Vnni { get; init; }

    /// <summary>Matrix tiles with bfloat16 products.</summary>
    public required bool AmxBf16 { get; init; }

    /// <summary>Arm's 128-bit vectors.</summary>
    public required bool ArmSimd { get; init; }

    /// <summary>The processor of this machine.</summary>
    public static ProcessorFeatures Current { get; } = Read();

    /// <summary>A short text that changes when the processor does, for results measured on it.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{Name}|{Signature:x}|{Cores}|{Flags}");

    /// <summary>Family, model and stepping as the processor gives them, because virtual machines share a name; 0 where there is none.</summary>
    public int Signature { get; init; }

    /// <summary>The features that are there, such as <c>AVX2 AVX-512 bf16 VNNI AMX</c>.</summary>
    public string Flags
    {
        get
        {
            List<string> flags = [];
            void Add(bool has, string name)
            {
                if (has)
                {
                    flags.Add(name);
                }
            }
            Add(Avx2, "AVX2");
            Add(Avx512, "AVX-512");
            Add(Avx512Bf16, "bf16");
            Add(Vnni, "VNNI");
            Add(AmxBf16, "AMX");
            Add(ArmSimd, "NEON");
            return string.Join(' ', flags);
        }
    }

    private static ProcessorFeatures Read()
    {
        var (leaf7Edx, leaf7SubEax) = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
            ? (X86Base.CpuId(7, 0).Edx, X86Base.CpuId(7, 1).Eax)
            : (0, 0);
        // Intel SDM, CPUID leaf 7: AMX-BF16 is bit 22 of EDX, AVX-VNNI bit 4 and AVX512_BF16 bit 5 of EAX of subleaf 1; AVX512_VNNI bit 11 of ECX.
        var leaf7Ecx = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 ? X86Base.CpuId(7, 0).Ecx : 0;
        return new()
        {
            Name = ReadName(),
            Signature = X86Base.IsSupported ? X86Base.CpuId(1, 0).Eax : 0, // Intel SDM, CPUID leaf 1
            Cores = Environment.ProcessorCount,
            Avx2 = Avx2_(),
            Avx512 = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported,
            Avx512Bf16 = Avx512F.IsSupported && (leaf7SubEax & (1 << 5)) != 0,
            Vnni = Avx2_() && ((leaf7SubEax & (1 << 4)) != 0 || (Avx512F.IsSupported && (leaf7Ecx & (1 << 11)) != 0)),
            AmxBf16 = (leaf7Edx & (1 << 22)) != 0,
            ArmSimd = AdvSimd.IsSupported,
        };
    }

    private static bool Avx2_() => System.Runtime.Intrinsics.X86.Avx2.IsSupported && Fma.IsSupported;

    private static string ReadName()
    {
        if (X86Base.IsSupported && (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax >= 0x80000004)
        {
            // The brand string: 48 ASCII bytes in leaves 0x80000002 to 0x80000004.
            Span<int> registers = stackalloc int[12];
            for (var i = 0; i < 3; i++)
            {
                var (a, b, c, d) = X86Base.CpuId(unchecked((int)(0x80000002 + (uint)i)), 0);
                (registers[4 * i], registers[(4 * i) + 1], registers[(4 * i) + 2], registers[(4 * i) + 3]) = (a, b, c, d);
            }
            return System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(registers)).Trim('\0', ' ');
        }
        return RuntimeInformation.ProcessArchitecture.ToString();
    }
}
