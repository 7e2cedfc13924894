using Nabla.Core;

namespace Nabla.Data;

internal static partial class PictureOps
{
    /// <summary><c>share * row + (1 - share) * partner's row</c>.</summary>
    /// <param name="rows">Any tensor whose first axis is the batch, float32.</param>
    /// <param name="partners">The partner of each row.</param>
    /// <param name="shares">The row's own share, in [0, 1].</param>
    public static Tensor Mix(Tensor rows, long[] partners, float[] shares)
    {
        long[] shape = [rows.Sizes()[0], .. Enumerable.Repeat(1L, rows.Sizes().Length - 1)];
        var own = torch.tensor(shares, shape, float32);
        var others = rows.index_select(0, torch.tensor(partners, int64));
        return others.add_((rows - others).mul_(own));
    }

    /// <summary>Targets that can be mixed: class ids become probabilities <c>[batch, classes]</c>, numbers stay.</summary>
    /// <exception cref="DataException">A class id is out of range.</exception>
    public static Tensor MixableTargets(string name, Tensor targets, int classes)
    {
        if (targets.dtype != int64)
        {
            return targets;
        }
        if (targets.dim() != 1)
        {
            throw new ShapeException(name, Batch.Targets, "[batch]", targets.Sizes(), "Mixing needs one class for each picture.");
        }
        foreach (var target in targets.data<long>())
        {
            if (target < 0 || target >= classes)
            {
                throw new DataException($"{name}: expected class ids from 0 to {classes - 1}, got {target}. Declare all {target + 1} classes of the data set.");
            }
        }
        return nn.functional.one_hot(targets, classes).to_type(float32);
    }
}
