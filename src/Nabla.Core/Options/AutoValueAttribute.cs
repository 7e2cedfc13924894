namespace Nabla.Core;

/// <summary>Marks an integer option for which a recipe may say <c>auto</c>: the property then holds <see cref="Value"/> until it is resolved.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AutoValueAttribute : Attribute
{
    /// <summary>What stands for auto; no option has a use for this number itself.</summary>
    public const int Value = int.MinValue;
}
