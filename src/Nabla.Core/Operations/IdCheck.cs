using System.Globalization;
using System.Runtime.InteropServices;

namespace Nabla.Core;

/// <summary>Checks that ids (tokens, class labels) lie in their range before they reach a kernel that would end badly.</summary>
public static class IdCheck
{
    /// <summary>
    /// Throws when an id is outside [0, <paramref name="count"/>). It costs one pass over the ids on the CPU; ids on another device
    /// are not looked at, because reading them would wait for the device: check them before they are moved.
    /// </summary>
    /// <param name="ids">Ids, int64 or int32, any shape.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="where">The operation, for the message.</param>
    /// <param name="what">What the ids number, such as <c>token</c> or <c>class</c>.</param>
    /// <param name="ignored">An id that is always allowed, or null.</param>
    /// <exception cref="DataException">An id is out of range; the message names it, its position, and the number of ids.</exception>
    public static void InRange(Tensor ids, long count, string where, string what, long? ignored = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (ids.dtype is not (ScalarType.Int64 or ScalarType.Int32))
        {
            throw new DataException($"{where}: {what} ids must be int64 or int32; they are {ids.dtype}. Convert them with .to(ScalarType.Int64).");
        }
        if (ids.device_type != DeviceType.CPU || ids.numel() == 0)
        {
            return;
        }
        using var scope = NewDisposeScope();
        var plain = ids.is_contiguous() ? ids : ids.contiguous();
        if (ids.dtype == ScalarType.Int64)
        {
            Check(MemoryMarshal.Cast<byte, long>(plain.bytes), ids, count, where, what, ignored);
        }
        else
        {
            Check(MemoryMarshal.Cast<byte, int>(plain.bytes), ids, count, where, what, ignored);
        }
    }

    private static void Check<T>(ReadOnlySpan<T> ids, Tensor tensor, long count, string where, string what, long? ignored)
        where T : struct, System.Numerics.IBinaryInteger<T>
    {
        for (var i = 0; i < ids.Length; i++)
        {
            var id = long.CreateTruncating(ids[i]);
            if ((ulong)id >= (ulong)count && id != ignored) // negative ids are huge without a sign
            {
                throw new DataException(string.Create(CultureInfo.InvariantCulture,
                    $"{where}: {what} id {id} at {Position(i, tensor.Sizes())} is out of range: there are {count} {what} ids, 0 to {count - 1}. Check how the data was encoded, or raise the count."));
            }
        }
    }

    private static string Position(int flat, long[] shape)
    {
        var index = new long[shape.Length];
        for (var axis = shape.Length - 1; axis >= 0; axis--)
        {
            (index[axis], flat) = (flat % shape[axis], (int)(flat / shape[axis]));
        }
        return ShapeException.Format(index);
    }
}
