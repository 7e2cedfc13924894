namespace Nabla.Core;

/// <summary>Gathers every problem of an options record and reports all of them at once.</summary>
/// <example><code>OptionsCheck.For(this).Require(Heads > 0, $"Heads must be at least 1; it is {Heads}.").ThrowIfAny();</code></example>
public sealed class OptionsCheck
{
    private readonly string _name;
    private readonly List<string> _problems = [];

    private OptionsCheck(string name) => _name = name;

    /// <summary>Starts a check of <paramref name="options"/>.</summary>
    /// <param name="options">The record being checked; its type names the report.</param>
    public static OptionsCheck For(object options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(options.GetType().Name);
    }

    /// <summary>Notes <paramref name="problem"/> unless <paramref name="holds"/>.</summary>
    /// <param name="holds">The condition that must hold.</param>
    /// <param name="problem">What is wrong, with the value: <c>Heads must be at least 1; it is 0.</c></param>
    /// <returns>This check.</returns>
    public OptionsCheck Require(bool holds, string problem)
    {
        if (!holds)
        {
            _problems.Add(problem);
        }
        return this;
    }

    /// <summary>Requires <paramref name="value"/> to be one of <paramref name="allowed"/>, listing them and the nearest otherwise.</summary>
    /// <param name="name">The property's name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="allowed">The valid names.</param>
    /// <returns>This check.</returns>
    public OptionsCheck OneOf(string name, string value, IReadOnlyCollection<string> allowed)
    {
        ArgumentNullException.ThrowIfNull(allowed);
        return Require(allowed.Contains(value), $"{name} '{value}' is not known. {NearestName.Suggest(value, allowed)}");
    }

    /// <summary>Throws when any problem was noted.</summary>
    /// <exception cref="OptionsException">At least one problem was noted.</exception>
    public void ThrowIfAny()
    {
        if (_problems.Count > 0)
        {
            throw new OptionsException(_name, _problems);
        }
    }
}

/// <summary>An options record holds values that cannot work; <see cref="Problems"/> lists all of them.</summary>
public sealed class OptionsException : ArgumentException
{
    /// <summary>Creates the error.</summary>
    /// <param name="options">Name of the options record.</param>
    /// <param name="problems">Every problem found.</param>
    public OptionsException(string options, IReadOnlyList<string> problems)
        : base($"{options}: {string.Join(" ", problems)}")
    {
        (Options, Problems) = (options, problems);
    }

    /// <summary>Name of the options record.</summary>
    public string Options { get; }

    /// <summary>Every problem found, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; }
}
