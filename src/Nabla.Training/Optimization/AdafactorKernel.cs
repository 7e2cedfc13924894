using System.Buffers;
using System.Numerics;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adafactor's step in three passes over gradient and parameter, with no temporary of their size; the formula is that of
/// <see cref="AdafactorOptimizer"/>. Tensors are shared out among threads, each is done by one, so sums have one order.
/// </summary>
internal static unsafe class AdafactorKernel
{
    private const int BlockSize = 1024; // entries summed in the parameter's own type before they are added to a float64 sum

    /// <summary>Moves all tensors.</summary>
    /// <param name="type">Their type, float32 or float64.</param>
    /// <param name="updates">Updates of that type, on the CPU and contiguous.</param>
    /// <param name="constants">Numbers for each.</param>
    public static void Step(ScalarType type, IReadOnlyList<ParameterUpdate> updates, AdafactorConstants[] constants)
    {
        // Tensors are asked for their addresses here: TorchSharp's handles belong to this thread.
        var places = updates.Select((update, i) => new Place(update, constants[i])).ToArray();
        VectorLists.Run(places.Length, places.Sum(place => place.Count), type == ScalarType.Float32 ? i => Step<float>(places[i]) : i => Step<double>(places[i]));
    }

    private static void Step<T>(Place place)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (place.Count == 0)
        {
            return;
        }
        var (c, size) = (place.Constants, Math.Sqrt(place.Count));
        var scale = Math.Max(c.SmallestScale, Math.Sqrt(Squares((T*)place.Parameter, place.Count)) / size) * c.Rate;
        var columns = place.IsFactored ? (int)place.Columns : 1;
        var inverse = ArrayPool<T>.Shared.Rent(columns);
        fixed (T* scratch = inverse)
        {
            if (place.IsFactored)
            {
                Factor<T>(place, scratch);
            }
            else
            {
                Average((T*)place.Whole, (T*)place.Gradient, place.Count, T.CreateChecked(c.Share));
            }
            var excess = Math.Max(1, Math.Sqrt(Pass<T>(place, T.Zero, isMove: false)) / (size * c.Clip));
            Pass<T>(place, T.CreateChecked(scale / excess), isMove: true);
        }
        ArrayPool<T>.Shared.Return(inverse);
    }

    /// <summary>Takes the squares of the gradient into the means of rows and columns.</summary>
    private static void Factor<T>(Place place, T* sums)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rows, columns, share) = (place.Rows, (int)place.Columns, T.CreateChecked(place.Constants.Share));
        for (long matrix = 0; matrix < place.Count / (rows * columns); matrix++)
        {
            T* g = (T*)place.Gradient + (matrix * rows * columns), row = (T*)place.RowMeans + (matrix * rows), column = (T*)place.ColumnMeans + (matrix * columns);
            new Span<T>(sums, columns).Clear();
            for (long r = 0; r < rows; r++, g += columns)
            {
                var mean = T.CreateChecked(Squares(g, columns) / columns);
                row[r] += (mean - row[r]) * share;
                AddSquares(sums, g, columns);
            }
            for (var k = 0; k < columns; k++)
            {
                column[k] += ((sums[k] / T.CreateChecked(rows)) - column[k]) * share;
            }
        }
    }

    private static double Pass<T>(Place place, T rate, bool isMove)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var c = place.Constants;
        var (least, keep, sum) = (T.CreateChecked(c.Epsilon * c.Epsilon), T.CreateChecked(c.Keep), 0.0);
        var (rows, columns) = place.IsFactored ? (place.Rows, place.Columns) : (1, place.Count);
        for (long matrix = 0; matrix < place.Count / (rows * columns); matrix++)
        {
            T* p = (T*)place.Parameter + (matrix * rows * columns), g = (T*)place.Gradient + (matrix * rows * columns);
            T* row = (T*)place.RowMeans + (matrix * rows), variance = place.IsFactored ? (T*)place.ColumnMeans + (matrix * columns) : (T*)place.Whole;
            var mean = place.IsFactored ? T.CreateChecked(Math.Max(c.Epsilon, Sum(row, rows) / rows)) : T.One;
            for (long r = 0; r < rows; r++, p += columns, g += columns)
            {
                var share = place.IsFactored ? row[r] / mean : T.One;
                if (isMove)
                {
                    Move(p, g, variance, columns, share, least, keep, rate);
                }
                else
                {
                    sum += UpdateSquares(g, variance, columns, share, least);
                }
            }
        }
        return sum;
    }

    private static void Move<T>(T* p, T* g, T* variance, long count, T share, T least, T keep, T rate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector<T> shares = new(share), leasts = new(least), keeps = new(keep), rates = new(rate);
        long i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            var root = Vector.SquareRoot(Vector.Max(Vector.Load(variance + i) * shares, leasts));
            Vector.Store((Vector.Load(p + i) * keeps) - (Vector.Load(g + i) * rates / root), p + i);
        }
        for (; i < count; i++)
        {
            p[i] = (p[i] * keep) - (g[i] * rate / T.Sqrt(T.Max(variance[i] * share, least)));
        }
    }

    private static double UpdateSquares<T>(T* g, T* variance, long count, T share, T least)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector<T> shares = new(share), leasts = new(least);
        var total = 0.0;
        for (long start = 0; start < count; start += BlockSize)
        {
            var (end, i, sums) = (Math.Min(count, start + BlockSize), start, Vector<T>.Zero);
            for (; i <= end - Vector<T>.Count; i += Vector<T>.Count)
            {
                var gradient = Vector.Load(g + i);
                sums += gradient * gradient / Vector.Max(Vector.Load(variance + i) * shares, leasts);
            }
            var sum = Vector.Sum(sums);
            for (; i < end; i++)
            {
                sum += g[i] * g[i] / T.Max(variance[i] * share, least);
            }
            total += double.CreateChecked(sum);
        }
        return total;
    }

    private static double Squares<T>(T* x, long count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var total = 0.0;
        for (long start = 0; start < count; start += BlockSize)
        {
            var (end, i, sums) = (Math.Min(count, start + BlockSize), start, Vector<T>.Zero);
            for (; i <= end - Vector<T>.Count; i += Vector<T>.Count)
            {
                var value = Vector.Load(x + i);
                sums += value * value;
            }
            var sum = Vector.Sum(sums);
            for (; i < end; i++)
            {
                sum += x[i] * x[i];
            }
            total += double.CreateChecked(sum);
        }
        return total;
    }

    private static double Sum<T>(T* x, long count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var total = 0.0;
        for (long i = 0; i < count; i++)
        {
            total += double.CreateChecked(x[i]);
        }
        return total;
    }

    private static void AddSquares<T>(T* sums, T* x, int count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            var value = Vector.Load(x + i);
            Vector.Store(Vector.Load(sums + i) + (value * value), sums + i);
        }
        for (; i < count; i++)
        {
            sums[i] += x[i] * x[i];
        }
    }

    private static void Average<T>(T* mean, T* x, long count, T share)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shares = new Vector<T>(share);
        long i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            Vector<T> value = Vector.Load(x + i), old = Vector.Load(mean + i);
            Vector.Store(old + (((value * value) - old) * shares), mean + i);
        }
        for (; i < count; i++)
        {
            mean[i] += ((x[i] * x[i]) - mean[i]) * share;
        }
    }

    /// <summary>Addresses and sizes of one tensor's step.</summary>
    private readonly struct Place
    {
        public readonly nint Parameter, Gradient, RowMeans, ColumnMeans, Whole;
        public readonly long Count, Rows, Columns;
        public readonly bool IsFactored;
        public readonly AdafactorConstants Constants;

        public Place(ParameterUpdate update, AdafactorConstants constants)
        {
            var (slot, gradient, _) = update;
            var shape = slot.Value.Sizes();
            (Count, Constants, IsFactored) = (slot.Value.NumberOfElements, constants, shape.Length > 1);
            (Rows, Columns) = IsFactored ? (shape[^2], shape[^1]) : (1, Count);
            (Parameter, Gradient) = (VectorLists.Address(slot.Value), VectorLists.Address(gradient));
            (RowMeans, ColumnMeans, Whole) = (VectorLists.Address(slot.State[0]), VectorLists.Address(slot.State[1]), VectorLists.Address(slot.State[2]));
        }
    }
}
