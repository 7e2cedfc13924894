using System.Numerics;

namespace Nabla.Training;

/// <summary>
/// LAMB's step in two passes over memory, the second of which needs the norms of the first; the formula is that of <see cref="LambOptimizer"/>.
/// The direction is computed twice instead of stored. Norms are summed in float64 piece by piece, in order.
/// </summary>
internal static unsafe class LambKernel
{
    private const int BlockSize = 1024; // entries summed in the parameter's own type before they are added to a float64 sum

    /// <summary>Moves all tensors.</summary>
    /// <typeparam name="T">Type of the parameters.</typeparam>
    /// <param name="lists">The tensors; state 0 is the first moment, state 1 the second.</param>
    /// <param name="numbers">Numbers of the step.</param>
    public static void Step<T>(VectorLists lists, LambNumbers numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sums = new (double Parameter, double Direction)[lists.Pieces.Count];
        lists.Run(index =>
        {
            var at = new Place<T>(lists, index);
            sums[index] = Gather(at.Parameter, at.Gradient, at.First, at.Second, at.Count, numbers);
        });
        var ratios = new double[lists.Count];
        foreach (var same in lists.Pieces.Index().GroupBy(piece => piece.Item.Tensor))
        {
            var (length, step) = (0.0, 0.0);
            foreach (var (index, _) in same)
            {
                (length, step) = (length + sums[index].Parameter, step + sums[index].Direction);
            }
            ratios[same.Key] = length > 0 && step > 0 ? Math.Sqrt(length) / Math.Sqrt(step) : length >= 0 && step >= 0 ? 1 : double.NaN;
        }
        lists.Run(index =>
        {
            var at = new Place<T>(lists, index);
            Move(at.Parameter, at.First, at.Second, at.Count, numbers, T.CreateChecked(ratios[lists.Pieces[index].Tensor] * numbers.Rate));
        });
    }

    private static (double Parameter, double Direction) Gather<T>(T* p, T* g, T* m, T* v, int count, LambNumbers numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (beta1, rest1) = (T.CreateChecked(numbers.Beta1), T.CreateChecked(1 - numbers.Beta1));
        var (beta2, rest2) = (T.CreateChecked(numbers.Beta2), T.CreateChecked(1 - numbers.Beta2));
        var direction = new Direction<T>(numbers);
        var (parameterSum, directionSum) = (0.0, 0.0);
        for (var start = 0; start < count; start += BlockSize)
        {
            var (end, i) = (Math.Min(count, start + BlockSize), start);
            Vector<T> lengths = Vector<T>.Zero, steps = Vector<T>.Zero;
            for (; i <= end - Vector<T>.Count; i += Vector<T>.Count)
            {
                Vector<T> gradient = Vector.Load(g + i), parameter = Vector.Load(p + i);
                var first = (Vector.Load(m + i) * beta1) + (gradient * rest1);
                var second = (Vector.Load(v + i) * beta2) + (gradient * gradient * rest2);
                Vector.Store(first, m + i);
                Vector.Store(second, v + i);
                var step = direction.Of(parameter, first, second);
                lengths += parameter * parameter;
                steps += step * step;
            }
            var (length, sum) = (Vector.Sum(lengths), Vector.Sum(steps));
            for (; i < end; i++)
            {
                m[i] = (m[i] * beta1) + (g[i] * rest1);
                v[i] = (v[i] * beta2) + (g[i] * g[i] * rest2);
                var step = direction.Of(p[i], m[i], v[i]);
                length += p[i] * p[i];
                sum += step * step;
            }
            parameterSum += double.CreateChecked(length);
            directionSum += double.CreateChecked(sum);
        }
        return (parameterSum, directionSum);
    }

    private static void Move<T>(T* p, T* m, T* v, int count, LambNumbers numbers, T rate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var direction = new Direction<T>(numbers);
        var rates = new Vector<T>(rate);
        var i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            var parameter = Vector.Load(p + i);
            Vector.Store(parameter - (direction.Of(parameter, Vector.Load(m + i), Vector.Load(v + i)) * rates), p + i);
        }
        for (; i < count; i++)
        {
            p[i] -= direction.Of(p[i], m[i], v[i]) * rate;
        }
    }

    /// <summary><c>m^ / (sqrt(v^) + eps) + decay * p</c>.</summary>
    private readonly struct Direction<T>(LambNumbers numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly T _first = T.CreateChecked(1 / numbers.Correction1), _second = T.CreateChecked(1 / numbers.Correction2);
        private readonly T _epsilon = T.CreateChecked(numbers.Epsilon), _decay = T.CreateChecked(numbers.Decay);

        public Vector<T> Of(Vector<T> p, Vector<T> m, Vector<T> v)
            => (m * _first / (Vector.SquareRoot(v * _second) + new Vector<T>(_epsilon))) + (p * _decay);

        public T Of(T p, T m, T v) => (m * _first / (T.Sqrt(v * _second) + _epsilon)) + (p * _decay);
    }

    /// <summary>Where the entries of a piece lie.</summary>
    private readonly struct Place<T>
        where T : unmanaged
    {
        public readonly T* Parameter, Gradient, First, Second;
        public readonly int Count;

        public Place(VectorLists lists, int index)
        {
            var (tensor, from, count) = lists.Pieces[index];
            Parameter = (T*)lists.Parameters[tensor] + from;
            Gradient = (T*)lists.Gradients[tensor] + from;
            First = (T*)lists.States[0][tensor] + from;
            Second = (T*)lists.States[1][tensor] + from;
            Count = count;
        }
    }
}

/// <summary>Numbers of one LAMB step.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Correction1">Divides the first moment.</param>
/// <param name="Correction2">Divides the second moment.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Decay">Weight decay.</param>
internal readonly record struct LambNumbers(double Beta1, double Beta2, double Correction1, double Correction2, double Epsilon, double Rate, double Decay);
