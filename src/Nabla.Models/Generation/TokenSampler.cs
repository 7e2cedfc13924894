namespace Nabla.Models;

/// <summary>Chooses a token from logits: temperature, then top-k, then top-p, then one draw of a <see cref="RandomStream"/> per place.</summary>
internal sealed class TokenSampler(GenerationOptions options)
{
    private int[] _order = [];
    private double[] _weights = [];

    /// <summary>The token chosen from <paramref name="logits"/> as number <paramref name="place"/> of the text; equal logits prefer the smaller id.</summary>
    public long Choose(ReadOnlySpan<float> logits, long place)
    {
        if (options.Temperature == 0 || options.TopK == 1)
        {
            return Likeliest(logits);
        }
        var count = Sort(logits);
        var largest = logits[_order[0]];
        for (var i = 0; i < count; i++)
        {
            _weights[i] = Math.Exp((logits[_order[i]] - largest) / options.Temperature);
        }
        count = Nucleus(count);
        var total = 0.0;
        for (var i = 0; i < count; i++)
        {
            total += _weights[i];
        }
        var draw = total * RandomStream.At(options.Seed, RandomPurpose.Sampling, place).NextDouble();
        for (var i = 0; i < count - 1; i++)
        {
            draw -= _weights[i];
            if (draw < 0)
            {
                return _order[i];
            }
        }
        return _order[count - 1];
    }

    private static long Likeliest(ReadOnlySpan<float> logits)
    {
        var best = -1;
        for (var i = 0; i < logits.Length; i++)
        {
            if (!float.IsNaN(logits[i]) && (best < 0 || logits[i] > logits[best]))
            {
                best = i;
            }
        }
        return best >= 0 ? best : throw NotANumber();
    }

    /// <summary>Fills the order with the ids from the likeliest on; the number of those that stay candidates.</summary>
    private int Sort(ReadOnlySpan<float> logits)
    {
        if (_order.Length != logits.Length)
        {
            (_order, _weights) = (new int[logits.Length], new double[logits.Length]);
        }
        for (var i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]) || float.IsPositiveInfinity(logits[i]))
            {
                throw NotANumber();
            }
            (_order[i], _weights[i]) = (i, -logits[i]);
        }
        if (options.TopK is null && options.TopP is null)
        {
            // All stay candidates, so only the largest must come first.
            var likeliest = (int)Likeliest(logits);
            (_order[0], _order[likeliest]) = (_order[likeliest], _order[0]);
            return logits.Length;
        }
        Array.Sort(_weights, _order, Comparer<double>.Default);
        return Math.Min(options.TopK ?? logits.Length, logits.Length);
    }

    /// <summary>How many of the first <paramref name="count"/> weights, largest first, are needed to hold the probability asked for.</summary>
    private int Nucleus(int count)
    {
        if (options.TopP is not { } share)
        {
            return count;
        }
        var bound = share * _weights.AsSpan(0, count).ToArray().Sum();
        var sum = 0.0;
        for (var i = 0; i < count; i++)
        {
            sum += _weights[i];
            if (sum >= bound)
            {
                return i + 1;
            }
        }
        return count;
    }

    private static NablaException NotANumber()
        => new("TextGenerator.Generate: the model's logits are not finite numbers, so no token can be chosen. The weights are damaged or training diverged; load an earlier checkpoint.");
}
