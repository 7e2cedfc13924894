namespace Nabla.Data;

/// <summary>Picture files and their classes, not yet read.</summary>
/// <param name="Folder">The folder that holds them.</param>
/// <param name="Paths">Paths of the files, in a fixed order.</param>
/// <param name="Classes">Class id of each file, or null when there are no labels.</param>
/// <param name="ClassNames">Names of the classes by id; empty when there are no labels.</param>
public sealed record ImageListing(string Folder, IReadOnlyList<string> Paths, IReadOnlyList<long>? Classes, IReadOnlyList<string> ClassNames);
