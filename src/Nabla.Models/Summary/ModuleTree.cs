namespace Nabla.Models;

/// <summary>The modules of a model in the order they are written: each parent directly before its parts.</summary>
internal static class ModuleTree
{
    public static IEnumerable<(string Path, Module Module)> Walk(Module module, string path = "")
    {
        yield return (path, module);
        foreach (var (name, child) in module.named_children())
        {
            foreach (var part in Walk(child, path.Length == 0 ? name : $"{path}.{name}"))
            {
                yield return part;
            }
        }
    }
}
