namespace Nabla.Core;

/// <summary>Values of the eight-bit floating point types. Source: Micikevicius et al. (2022), arXiv:2209.05433.</summary>
internal static class SmallFloats
{
    /// <summary>Four bits of exponent (bias 7), three of mantissa, no infinities; NaN is all ones.</summary>
    public static float FromE4M3(byte bits)
    {
        var (sign, exponent, mantissa) = (bits >> 7 == 0 ? 1f : -1f, (bits >> 3) & 0xF, bits & 0x7);
        return (exponent, mantissa) switch
        {
            (0xF, 0x7) => sign * float.NaN,
            (0, _) => sign * mantissa * MathF.ScaleB(1, -9),          // 2^-6 / 8
            _ => sign * MathF.ScaleB(8 + mantissa, exponent - 10),    // (1 + m/8) 2^(e-7)
        };
    }

    /// <summary>Five bits of exponent (bias 15), two of mantissa: the upper half of a half-precision number.</summary>
    public static float FromE5M2(byte bits) => (float)BitConverter.UInt16BitsToHalf((ushort)(bits << 8));
}
