using System.Linq.Expressions;
using System.Reflection;
using Module = TorchSharp.torch.nn.Module;

namespace Nabla.Core;

/// <summary>What may be called around a module's forward pass.</summary>
public interface IModuleObserver
{
    /// <summary>A module is about to run.</summary>
    /// <param name="module">The module.</param>
    /// <param name="input">Its first input where that is a tensor, else null.</param>
    /// <returns>What the module shall get in place of <paramref name="input"/>: usually itself.</returns>
    Tensor? Before(Module module, Tensor? input);

    /// <summary>A module has run.</summary>
    /// <param name="module">The module.</param>
    /// <param name="output">Its output where that is a tensor, else null.</param>
    /// <returns>What the caller shall get in place of <paramref name="output"/>: usually itself.</returns>
    Tensor? After(Module module, Tensor? output);
}

/// <summary>
/// Watches modules of any signature through their forward hooks, which <c>call</c> runs. TorchSharp's hooks have a type of their own for each
/// signature, so the delegates are built from the types that a module's registration asks for. Dispose it to take the hooks away.
/// </summary>
public sealed class ModuleHooks : IDisposable
{
    private static readonly MethodInfo BeforeMethod = typeof(IModuleObserver).GetMethod(nameof(IModuleObserver.Before))!;
    private static readonly MethodInfo AfterMethod = typeof(IModuleObserver).GetMethod(nameof(IModuleObserver.After))!;
    private readonly List<Action> _removals = [];

    /// <summary>Watches modules.</summary>
    /// <param name="modules">The modules; those that are never called themselves, such as lists, are passed over.</param>
    /// <param name="observer">Is called around each.</param>
    public ModuleHooks(IEnumerable<Module> modules, IModuleObserver observer)
    {
        ArgumentNullException.ThrowIfNull(modules);
        ArgumentNullException.ThrowIfNull(observer);
        foreach (var module in modules.Distinct<Module>(ReferenceEqualityComparer.Instance))
        {
            Register(module, "register_forward_pre_hook", parameters => BuildBefore(module, observer, parameters));
            Register(module, "register_forward_hook", parameters => BuildAfter(module, observer, parameters));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _removals.ForEach(remove => remove());
        _removals.Clear();
    }

    private void Register(Module module, string registration, Func<ParameterExpression[], Expression> build)
    {
        var register = module.GetType().GetMethods().FirstOrDefault(method =>
            method.Name == registration && method.GetParameters()[0].ParameterType.GetMethod("Invoke")!.ReturnType != typeof(void));
        if (register is null)
        {
            return;
        }
        var hook = register.GetParameters()[0].ParameterType;
        var signature = hook.GetMethod("Invoke")!;
        var parameters = signature.GetParameters().Select(parameter => Expression.Parameter(parameter.ParameterType, parameter.Name)).ToArray();
        var remover = register.Invoke(module, [Expression.Lambda(hook, Expression.Convert(build(parameters), signature.ReturnType), parameters).Compile()])!;
        _removals.Add(() => remover.GetType().GetMethod("remove")!.Invoke(remover, null));
    }

    // (module, arguments...) -> the arguments, as themselves when there is one and as a tuple when there are several
    private static Expression BuildBefore(Module module, IModuleObserver observer, ParameterExpression[] parameters)
    {
        var arguments = parameters[1..];
        Expression[] passed = [Replaced(module, observer, BeforeMethod, arguments[0]), .. arguments[1..]];
        return passed.Length == 1 ? passed[0] : Expression.New(TupleType(arguments).GetConstructor([.. arguments.Select(argument => argument.Type)])!, passed);
    }

    // (module, arguments..., result) -> the result
    private static Expression BuildAfter(Module module, IModuleObserver observer, ParameterExpression[] parameters)
        => Replaced(module, observer, AfterMethod, parameters[^1]);

    private static Expression Replaced(Module module, IModuleObserver observer, MethodInfo method, ParameterExpression value)
    {
        var isTensor = value.Type == typeof(Tensor);
        var call = Expression.Call(Expression.Constant(observer), method, Expression.Constant(module, typeof(Module)), isTensor ? value : Expression.Constant(null, typeof(Tensor)));
        return isTensor ? call : Expression.Block(call, value);
    }

    private static Type TupleType(ParameterExpression[] arguments)
    {
        var open = Type.GetType($"System.ValueTuple`{arguments.Length}")!;
        return open.MakeGenericType([.. arguments.Select(argument => argument.Type)]);
    }
}
