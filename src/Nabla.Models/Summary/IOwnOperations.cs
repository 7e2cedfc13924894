namespace Nabla.Models;

/// <summary>A module that multiplies outside of its parts (functional calls, tied heads, products of parameters).</summary>
internal interface IOwnOperations
{
    /// <summary>Multiply-adds of one call, those of its parts excluded.</summary>
    /// <param name="inputs">Shapes of the tensors that came in.</param>
    /// <param name="outputs">Shapes of those that went out.</param>
    long OwnMultiplyAdds(IReadOnlyList<long[]> inputs, IReadOnlyList<long[]> outputs);
}
