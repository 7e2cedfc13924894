using System.Buffers.Binary;
using System.Text;

namespace Nabla.Core.Native;

/// <summary>
/// The parts of a 64-bit little-endian ELF library that say which symbol versions it needs and gives, with in-place edits.
/// Source: System V ABI, chapter 5; Linux Standard Base, "Symbol Versioning".
/// </summary>
internal sealed class ElfFile
{
    private const int SymbolSize = 24, SectionHeaderSize = 64; // Elf64_Sym, Elf64_Shdr
    private const uint DynSym = 11, GnuVersionDefinition = 0x6ffffffd, GnuVersionNeed = 0x6ffffffe, GnuVersionSymbol = 0x6fffffff;
    private readonly byte[] _bytes;
    private readonly Dictionary<uint, Section> _sections = [];

    private ElfFile(byte[] bytes)
    {
        _bytes = bytes;
        var (table, count) = ((int)U64(0x28), U16(0x3C));
        var headers = new Section[count];
        for (var i = 0; i < count; i++)
        {
            var at = table + (i * SectionHeaderSize);
            headers[i] = new((int)U64(at + 0x18), (int)U64(at + 0x20), (int)U32(at + 0x28), (int)U32(at + 0x2C));
            _sections.TryAdd(U32(at + 4), headers[i]);
        }
        Strings = _sections.TryGetValue(DynSym, out var symbols) ? headers[symbols.Link].Offset : 0;
    }

    private int Strings { get; }

    /// <summary>The file's bytes, edits included.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Reads a library.</summary>
    /// <exception cref="InvalidDataException">The file is not a 64-bit little-endian ELF file.</exception>
    public static ElfFile Parse(byte[] bytes)
        => bytes.Length > SectionHeaderSize && bytes.AsSpan(0, 6).SequenceEqual(new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1 })
            ? new(bytes)
            : throw new InvalidDataException("not a 64-bit little-endian ELF file");

    /// <summary>Versions that other libraries must give, such as (libstdc++.so.6, GLIBCXX_3.4.32).</summary>
    public IReadOnlyList<(string Library, string Version)> NeededVersions()
        => [.. Needs().Select(need => (need.Library, need.Version))];

    /// <summary>Versions that this library gives, such as GLIBCXX_3.4.30.</summary>
    public IReadOnlyList<string> DefinedVersions()
    {
        List<string> versions = [];
        if (!_sections.TryGetValue(GnuVersionDefinition, out var section))
        {
            return versions;
        }
        for (int at = section.Offset, left = section.Info; left > 0; left--)
        {
            var name = at + (int)U32(at + 12); // vd_aux: the first name is the version's own
            versions.Add(String((int)U32(name)));
            at += (int)U32(at + 16); // vd_next
        }
        return versions;
    }

    /// <summary>Names of the symbols that are needed under <paramref name="version"/>.</summary>
    public IReadOnlyList<string> SymbolsNeeding(string version)
    {
        var indices = Needs().Where(need => need.Version == version).Select(need => need.Index).ToHashSet();
        return [.. Symbols().Where(symbol => symbol.IsUndefined && indices.Contains(U16(symbol.VersionAt))).Select(symbol => String(symbol.NameOffset))];
    }

    /// <summary>Makes the undefined symbol <paramref name="name"/> ask for <paramref name="replacement"/> in any version instead.</summary>
    public bool ReplaceUndefinedSymbol(string name, string replacement)
    {
        var found = false;
        foreach (var symbol in Symbols().Where(symbol => symbol.IsUndefined && String(symbol.NameOffset) == name).ToList())
        {
            if (replacement.Length > name.Length)
            {
                throw new ArgumentException($"'{replacement}' is longer than '{name}' and does not fit in its place.", nameof(replacement));
            }
            var at = Strings + symbol.NameOffset;
            Encoding.ASCII.GetBytes(replacement, _bytes.AsSpan(at));
            _bytes[at + replacement.Length] = 0;
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(symbol.VersionAt), 1); // VER_NDX_GLOBAL: no version asked for
            found = true;
        }
        return found;
    }

    /// <summary>Makes what asks for version <paramref name="from"/> ask for <paramref name="to"/>; both names have the same length.</summary>
    public bool ReplaceNeededVersion(string from, string to)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(to.Length, from.Length);
        var found = false;
        foreach (var need in Needs().Where(need => need.Version == from).ToList())
        {
            Encoding.ASCII.GetBytes(to, _bytes.AsSpan(Strings + need.NameOffset));
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(need.At), Hash(to)); // vna_hash
            found = true;
        }
        return found;
    }

    private List<Need> Needs()
    {
        List<Need> needs = [];
        if (!_sections.TryGetValue(GnuVersionNeed, out var section))
        {
            return needs;
        }
        var at = section.Offset;
        for (var left = section.Info; left > 0; left--)
        {
            var library = String((int)U32(at + 4)); // vn_file
            var entry = at + (int)U32(at + 8); // vn_aux
            for (var count = U16(at + 2); count > 0; count--)
            {
                var name = (int)U32(entry + 8); // vna_name
                needs.Add(new(entry, library, String(name), name, U16(entry + 6)));
                entry += (int)U32(entry + 12); // vna_next
            }
            at += (int)U32(at + 12); // vn_next
        }
        return needs;
    }

    private IEnumerable<Symbol> Symbols()
    {
        if (!_sections.TryGetValue(DynSym, out var section) || !_sections.TryGetValue(GnuVersionSymbol, out var versions))
        {
            yield break;
        }
        for (var i = 0; i < section.Size / SymbolSize; i++)
        {
            var at = section.Offset + (i * SymbolSize);
            yield return new((int)U32(at), U16(at + 6) == 0, versions.Offset + (2 * i)); // st_name, st_shndx == SHN_UNDEF
        }
    }

    private string String(int offset)
    {
        var text = _bytes.AsSpan(Strings + offset);
        return Encoding.ASCII.GetString(text[..text.IndexOf((byte)0)]);
    }

    /// <summary>The hash of ELF symbol tables (System V ABI, figure 5-13).</summary>
    private static uint Hash(string name)
    {
        var h = 0u;
        foreach (var c in name)
        {
            h = (h << 4) + c;
            var high = h & 0xf0000000;
            h = (h ^ (high >> 24)) & ~high;
        }
        return h;
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at));

    private ulong U64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(at));

    private readonly record struct Section(int Offset, int Size, int Link, int Info);

    private readonly record struct Symbol(int NameOffset, bool IsUndefined, int VersionAt);

    private readonly record struct Need(int At, string Library, string Version, int NameOffset, ushort Index);
}
