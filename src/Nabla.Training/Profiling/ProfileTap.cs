namespace Nabla.Training;

/// <summary>The identity, whose backward pass says that the gradient has come to this place of the graph.</summary>
internal sealed class ProfileTap : autograd.SingleTensorFunction<ProfileTap>
{
    private const string Key = "passed";

    public override string Name => nameof(ProfileTap);

    /// <summary>A tensor of the same values; the action runs when its gradient passes. It must not throw.</summary>
    public static Tensor Put(Tensor x, Action passed) => apply(passed, x);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data(Key, vars[0]);
        return ((Tensor)vars[1]).detach();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ((Action)ctx.get_data(Key))();
        return [null!, grad_output];
    }
}
