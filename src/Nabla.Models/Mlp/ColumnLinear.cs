namespace Nabla.Models;

/// <summary>A linear layer of its own for each column: <c>[batch, columns, in] -> [batch, columns, out]</c>.</summary>
internal sealed class ColumnLinear : Module<Tensor, Tensor>, IOwnOperations
{
    private readonly Parameter weight, bias;   // [columns, in, out], [columns, 1, out]

    public ColumnLinear(int columns, int inputs, int outputs)
        : base(nameof(ColumnLinear))
    {
        var bound = 1 / Math.Sqrt(inputs); // as a linear layer
        weight = empty(columns, inputs, outputs).uniform_(-bound, bound).AsOwnedParameter();
        bias = empty(columns, 1, outputs).uniform_(-bound, bound).AsOwnedParameter();
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() =>
        (x.transpose(0, 1).bmm(weight) + bias).transpose(0, 1));   // [columns, batch, out] -> [batch, columns, out]

    public long OwnMultiplyAdds(IReadOnlyList<long[]> inputs, IReadOnlyList<long[]> outputs) => inputs[0][0] * weight.numel();
}
