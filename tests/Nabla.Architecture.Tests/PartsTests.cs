using System.Reflection;

namespace Nabla.Architecture.Tests;

/// <summary>The table of parts (docs/architecture.md) as data, compared with what the built assemblies refer to.</summary>
public sealed class PartsTests
{
    /// <summary>Each project and the projects it may know.</summary>
    private static readonly Dictionary<string, string[]> Parts = new()
    {
        ["Nabla.Core"] = [],
        ["Nabla.Data"] = ["Nabla.Core"],
        ["Nabla.Nn"] = ["Nabla.Core"],
        ["Nabla.Models"] = ["Nabla.Core", "Nabla.Nn"],
        ["Nabla.Training"] = ["Nabla.Core", "Nabla.Data"],
        ["Nabla"] = ["Nabla.Core", "Nabla.Data", "Nabla.Nn", "Nabla.Models", "Nabla.Training"],
        ["Nabla.Benchmarks"] = ["Nabla.Core", "Nabla.Data", "Nabla.Nn", "Nabla.Models", "Nabla.Training", "Nabla"],
        ["Nabla.Cli"] = ["Nabla.Core", "Nabla.Data", "Nabla.Nn", "Nabla.Models", "Nabla.Training", "Nabla", "Nabla.Benchmarks"],
    };

    /// <summary>Outside libraries with one home each; what is not listed may be used anywhere.</summary>
    private static readonly Dictionary<string, string[]> Homes = new()
    {
        ["System.CommandLine"] = ["Nabla.Cli"],
        ["Spectre.Console"] = ["Nabla.Cli"],
        ["YamlDotNet"] = ["Nabla"],
        ["CsvHelper"] = ["Nabla.Data"],
        ["Parquet"] = ["Nabla.Data"],
        ["SkiaSharp"] = ["Nabla.Data"],
    };

    public static TheoryData<string> Names => [.. Parts.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Project_KnowsOnly_WhatStandsBelowIt(string project)
    {
        var known = References(project).Where(name => name == "Nabla" || name.StartsWith("Nabla.", StringComparison.Ordinal));

        Assert.Empty(known.Except(Parts[project]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void OutsideLibrary_IsUsed_OnlyInItsHome(string project)
        => Assert.DoesNotContain(References(project), name => Homes.TryGetValue(name, out var homes) && !homes.Contains(project));

    [Fact]
    public void Table_Names_EveryProjectOfTheSourceFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Nabla.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no folder above holds Nabla.slnx");
        }

        Assert.Equal(Parts.Keys.Order(), new DirectoryInfo(Path.Combine(folder.FullName, "src")).GetDirectories().Select(project => project.Name).Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void PublicTypes_LiveIn_TheNamespaceOfTheirProject(string project)
        => Assert.Empty(Assembly.Load(project).GetExportedTypes()
            .Where(type => type.Namespace != project && type.Namespace?.StartsWith(project + ".", StringComparison.Ordinal) != true)
            .Select(type => type.FullName));

    private static IEnumerable<string> References(string project)
        => Assembly.Load(project).GetReferencedAssemblies().Select(reference => reference.Name!);
}
