using System.Runtime.CompilerServices;

namespace Nabla.Core;

/// <summary>
/// Lays the weights of recurrent layers side by side in one block of a GPU's memory, as cuDNN reads them; elsewhere it would copy them together
/// at each call. Under autocast libtorch does so itself, on the copies that it makes.
/// </summary>
internal static class CudnnWeights
{
    private static readonly string[] Modes = ["rnn-relu", "rnn-tanh", "lstm", "gru"]; // by cuDNN's numbers
    private static readonly ConditionalWeakTable<Tensor, object> Joined = [];

    /// <summary>Does so once for each set of weights; those that are computed from others stay where they are.</summary>
    public static void Join(string cell, Tensor x, Tensor hidden, Tensor[] weights, bool hasBias, long layers, bool isBidirectional)
    {
        if (Joined.TryGetValue(weights[0], out _) || Autocast.TypeOn(DeviceType.CUDA) != ScalarType.Float32 || !Array.TrueForAll(weights, weight => weight.is_leaf))
        {
            return;
        }
        using var ungraded = no_grad();
        var each = weights.Length / (layers * (isBidirectional ? 2 : 1));
        var projection = each > (hasBias ? 4 : 2) ? hidden.size(2) : 0;
        AtenLayerScript.Call<Tensor>(
            "flatten_recurrent", weights, each, x.size(2), (long)Array.IndexOf(Modes, cell), weights[1].size(0) / Gates(cell), projection, layers, isBidirectional).Dispose();
        Joined.AddOrUpdate(weights[0], weights);
    }

    private static long Gates(string cell) => cell switch
    {
        "lstm" => 4,
        "gru" => 3,
        _ => 1,
    };
}
