namespace Nabla.Core;

/// <summary>What most of a model's arithmetic is: processors gain by bfloat16 to a different degree in each.</summary>
public enum WorkKind
{
    /// <summary>Linear layers and attention.</summary>
    Products,

    /// <summary>Convolutions.</summary>
    Convolutions,

    /// <summary>Layers of LSTM cells.</summary>
    Recurrence,

    /// <summary>Layers of other recurrent cells, such as GRU: libtorch takes their steps one by one, which bfloat16 seldom speeds up.</summary>
    OtherRecurrence,
}

/// <summary>A module that knows the kind of its work, such as a recurrent layer.</summary>
public interface IWorkModule
{
    /// <summary>The kind of its work.</summary>
    WorkKind Work { get; }
}

/// <summary>Finds the kind of a model's work.</summary>
public static class WorkKinds
{
    /// <summary>All kinds, in the order in which they are shown.</summary>
    public static IReadOnlyList<WorkKind> All { get; } = [WorkKind.Products, WorkKind.Convolutions, WorkKind.Recurrence, WorkKind.OtherRecurrence];

    /// <summary>That of the recurrent layer where there is one, convolutions where there is one of pictures, else products.</summary>
    /// <param name="module">The model.</param>
    public static WorkKind Of(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        var kind = WorkKind.Products;
        foreach (var part in module.modules().Prepend(module))
        {
            switch (part)
            {
                case IWorkModule { Work: WorkKind.Recurrence or WorkKind.OtherRecurrence } recurrent:
                    return recurrent.Work;
                case TorchSharp.Modules.LSTM:
                    return WorkKind.Recurrence;
                case TorchSharp.Modules.GRU or TorchSharp.Modules.RNN:
                    return WorkKind.OtherRecurrence;
                case IWorkModule { Work: WorkKind.Convolutions } or TorchSharp.Modules.Conv2d or TorchSharp.Modules.Conv3d:
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
        WorkKind.Recurrence => "LSTM layers",
        WorkKind.OtherRecurrence => "other recurrent layers",
        _ => "matrix products",
    };
}
