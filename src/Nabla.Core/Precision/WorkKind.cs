namespace Nabla.Core;

/// <summary>What most of a model's arithmetic is: processors gain by bfloat16 to a different degree in each.</summary>
public enum WorkKind
{
    /// <summary>Linear layers and attention.</summary>
    Products,

    /// <summary>Convolutions.</summary>
    Convolutions,

    /// <summary>Recurrent layers.</summary>
    Recurrence,
}

/// <summary>A module whose steps depend on each other, such as an LSTM.</summary>
public interface IRecurrentModule
{
}

/// <summary>Finds the kind of a model's work.</summary>
public static class WorkKinds
{
    /// <summary>All kinds, in the order in which they are shown.</summary>
    public static IReadOnlyList<WorkKind> All { get; } = [WorkKind.Products, WorkKind.Convolutions, WorkKind.Recurrence];

    /// <summary>Recurrence where there is a recurrent layer, convolutions where there is one of pictures, else products.</summary>
    /// <param name="module">The model.</param>
    public static WorkKind Of(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        var kind = WorkKind.Products;
        foreach (var part in module.modules().Prepend(module))
        {
            switch (part)
            {
                case IRecurrentModule or TorchSharp.Modules.LSTM or TorchSharp.Modules.GRU or TorchSharp.Modules.RNN:
                    return WorkKind.Recurrence;
                case TorchSharp.Modules.Conv2d or TorchSharp.Modules.Conv3d:
                    kind = WorkKind.Convolutions;
                    break;
            }
        }
        return kind;
    }

    /// <summary>Its name in messages.</summary>
    /// <param name="kind">The kind.</param>
    public static string Name(WorkKind kind) => kind switch
    {
        WorkKind.Convolutions => "convolutions",
        WorkKind.Recurrence => "recurrent layers",
        _ => "matrix products",
    };
}
