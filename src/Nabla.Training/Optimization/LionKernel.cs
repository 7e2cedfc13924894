using System.Numerics;

namespace Nabla.Training;

/// <summary>Lion's step in one pass over memory; the formula is that of <see cref="LionOptimizer"/>.</summary>
internal static unsafe class LionKernel
{
    /// <summary>Moves all tensors.</summary>
    /// <typeparam name="T">Type of the parameters.</typeparam>
    /// <param name="lists">The tensors; state 0 is the momentum.</param>
    /// <param name="beta1">Share of the momentum in the direction.</param>
    /// <param name="beta2">Decay of the momentum.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="keep">What decay leaves of the parameter.</param>
    public static void Step<T>(VectorLists lists, double beta1, double beta2, double rate, double keep)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = (T.CreateChecked(beta1), T.CreateChecked(1 - beta1), T.CreateChecked(beta2), T.CreateChecked(1 - beta2), T.CreateChecked(rate), T.CreateChecked(keep));
        lists.Run(index =>
        {
            var piece = lists.Pieces[index];
            Step((T*)lists.Parameters[piece.Tensor] + piece.From, (T*)lists.Gradients[piece.Tensor] + piece.From, (T*)lists.States[0][piece.Tensor] + piece.From, piece.Count, numbers);
        });
    }

    private static void Step<T>(T* p, T* g, T* m, int count, (T Beta1, T Rest1, T Beta2, T Rest2, T Rate, T Keep) numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector<T> beta1 = new(numbers.Beta1), rest1 = new(numbers.Rest1), beta2 = new(numbers.Beta2), rest2 = new(numbers.Rest2), rate = new(numbers.Rate), keep = new(numbers.Keep);
        var i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            Vector<T> gradient = Vector.Load(g + i), momentum = Vector.Load(m + i);
            var direction = (momentum * beta1) + (gradient * rest1);
            var up = Vector.ConditionalSelect(Vector.LessThan(direction, Vector<T>.Zero), rate, Vector<T>.Zero);
            var down = Vector.ConditionalSelect(Vector.GreaterThan(direction, Vector<T>.Zero), rate, Vector<T>.Zero);
            Vector.Store((Vector.Load(p + i) * keep) - down + up, p + i);
            Vector.Store((momentum * beta2) + (gradient * rest2), m + i);
        }
        for (; i < count; i++)
        {
            var direction = (m[i] * numbers.Beta1) + (g[i] * numbers.Rest1);
            var step = direction > T.Zero ? numbers.Rate : direction < T.Zero ? -numbers.Rate : T.Zero;
            p[i] = (p[i] * numbers.Keep) - step;
            m[i] = (m[i] * numbers.Beta2) + (g[i] * numbers.Rest2);
        }
    }
}
