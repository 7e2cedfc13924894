using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Module = TorchSharp.torch.nn.Module;

namespace Nabla.Models;

/// <summary>One call of a module during a dry run.</summary>
/// <param name="Inputs">Shapes of the tensors that came in.</param>
/// <param name="Outputs">Shapes of those that went out.</param>
/// <param name="OutputBytes">Memory of those that went out.</param>
internal sealed record ForwardCall(IReadOnlyList<long[]> Inputs, IReadOnlyList<long[]> Outputs, long OutputBytes);

/// <summary>
/// Notes the shapes that pass through every module of a tree, by forward hooks. TorchSharp's hooks have a type of their own for each
/// signature, so the delegate is built from the type that a module's <c>register_forward_hook</c> asks for.
/// </summary>
internal sealed class ForwardRecorder : IDisposable
{
    private static readonly MethodInfo NoteMethod = typeof(ForwardRecorder).GetMethod(nameof(Note), BindingFlags.Instance | BindingFlags.NonPublic)!;
    private readonly Dictionary<Module, List<ForwardCall>> _calls = new(ReferenceEqualityComparer.Instance);
    private readonly List<Action> _removals = [];

    public ForwardRecorder(Module root)
    {
        foreach (var (_, module) in ModuleTree.Walk(root))
        {
            Attach(module);
        }
    }

    public IReadOnlyList<ForwardCall> Calls(Module module) => _calls.GetValueOrDefault(module) ?? [];

    public void Dispose()
    {
        foreach (var remove in _removals)
        {
            remove();
        }
        _removals.Clear();
    }

    private void Attach(Module module)
    {
        if (_calls.ContainsKey(module) || FindRegistration(module.GetType()) is not { } register)
        {
            return;
        }
        _calls[module] = [];
        var hook = register.GetParameters()[0].ParameterType;
        var signature = hook.GetMethod("Invoke")!;
        var parameters = signature.GetParameters().Select(parameter => Expression.Parameter(parameter.ParameterType, parameter.Name)).ToArray();
        var (arguments, result) = (parameters[1..^1], parameters[^1]); // the module, its arguments, its result
        var note = Expression.Call(
            Expression.Constant(this),
            NoteMethod,
            Expression.Constant(module),
            Expression.NewArrayInit(typeof(object), arguments.Select(argument => Expression.Convert(argument, typeof(object)))),
            Expression.Convert(result, typeof(object)));
        var remover = register.Invoke(module, [Expression.Lambda(hook, Expression.Block(note, result), parameters).Compile()])!;
        _removals.Add(() => remover.GetType().GetMethod("remove")!.Invoke(remover, null));
    }

    /// <summary>The method that takes a hook which sees arguments and result; null for lists of modules, which are never called.</summary>
    private static MethodInfo? FindRegistration(Type type) => type.GetMethods().FirstOrDefault(method =>
        method.Name == "register_forward_hook" && method.GetParameters()[0].ParameterType.GetMethod("Invoke")!.ReturnType != typeof(void));

    private void Note(Module module, object?[] arguments, object? result)
    {
        List<Tensor> inputs = [], outputs = [];
        foreach (var argument in arguments)
        {
            Collect(argument, inputs);
        }
        Collect(result, outputs);
        _calls[module].Add(new(
            [.. inputs.Select(tensor => tensor.Sizes())],
            [.. outputs.Select(tensor => tensor.Sizes())],
            outputs.Sum(tensor => tensor.numel() * tensor.element_size())));
    }

    /// <summary>The tensors in a value: itself, members of a tuple, properties of a record, elements of a list.</summary>
    private static void Collect(object? value, List<Tensor> found)
    {
        switch (value)
        {
            case null or string:
                break;
            case Tensor tensor:
                found.Add(tensor);
                break;
            case ITuple tuple:
                for (var i = 0; i < tuple.Length; i++)
                {
                    Collect(tuple[i], found);
                }
                break;
            case IEnumerable items:
                foreach (var item in items)
                {
                    Collect(item, found);
                }
                break;
            case var record when !record.GetType().IsPrimitive:
                foreach (var property in record.GetType().GetProperties().Where(property => property.PropertyType == typeof(Tensor) && property.GetIndexParameters().Length == 0))
                {
                    Collect(property.GetValue(record), found);
                }
                break;
        }
    }
}
