using System.Text.Json;
using Nabla.Testing;
using File = System.IO.File;

namespace Nabla.Core.Tests;

/// <summary>Reference files of the format: valid ones are read bit for bit, broken ones are refused by a plain error.</summary>
public sealed class SafeTensorsGoldenTests
{
    private const string Area = "formats/safetensors";

    public static TheoryData<string> Valid => Files("valid.json");

    public static TheoryData<string> Invalid => Files("invalid.json");

    [Theory, MemberData(nameof(Valid))]
    public void Open_ValidFile_GivesEveryTensorBitForBit(string path)
    {
        var expected = Case(path, "valid.json");
        using var file = SafeTensorsFile.Open(path);

        Assert.Equal(expected.GetProperty("tensors").GetArrayLength(), file.Entries.Count);
        Assert.Equal(Texts(expected.GetProperty("metadata")), file.Metadata.ToDictionary());
        foreach (var tensor in expected.GetProperty("tensors").EnumerateArray())
        {
            var name = tensor.GetProperty("name").GetString()!;
            var entry = file.Entries[name];
            var bytes = tensor.GetProperty("bytes_base64").GetBytesFromBase64();
            Assert.Equal(tensor.GetProperty("dtype").GetString(), entry.DataType);
            Assert.Equal(tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), entry.Shape);
            List<byte> raw = [];
            file.CopyBytes(name, piece => raw.AddRange(piece));
            Assert.Equal(bytes, raw);
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), file.ComputeSha256(name));
            CheckValues(file, entry, tensor.GetProperty("values"));
        }
    }

    [Theory, MemberData(nameof(Valid))]
    public void Write_TensorsOfValidFile_KeepsBytesOfTypesThatTensorsHave(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        using var scope = torch.NewDisposeScope();
        var tensors = file.Entries.Where(entry => SafeTensorsType.Find(entry.Value.DataType)!.Type is not null).ToDictionary(entry => entry.Key, entry => file.ReadTensor(entry.Key));
        var folder = Directory.CreateTempSubdirectory("nabla-safetensors-");
        try
        {
            var copy = Path.Combine(folder.FullName, "copy.safetensors");
            var digest = SafeTensorsFile.Write(copy, tensors, file.Metadata);
            using var written = SafeTensorsFile.Open(copy);
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(copy))), digest.File);
            Assert.Equal(file.Metadata.ToDictionary(), written.Metadata.ToDictionary());
            Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), written.Entries.Keys.Order(StringComparer.Ordinal));
            foreach (var name in tensors.Keys)
            {
                Assert.Equal(file.Entries[name].Shape, written.Entries[name].Shape);
                Assert.Equal(file.ComputeSha256(name), written.ComputeSha256(name));
                Assert.Equal(file.ComputeSha256(name), digest.Tensors[name]);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory, MemberData(nameof(Invalid))]
    public void Open_BrokenFile_IsRefusedByNameOfFile(string path)
    {
        var expected = Case(path, "invalid.json");
        Assert.SkipUnless(expected.GetProperty("verdict").GetString() == "refuse", $"Either answer is right: {expected.GetProperty("reason").GetString()}.");

        var error = Assert.Throws<CheckpointException>(() => SafeTensorsFile.Open(path));

        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => SafeTensorsFile.Read(path));
    }

    private static void CheckValues(SafeTensorsFile file, SafeTensorsEntry entry, JsonElement values)
    {
        if (SafeTensorsType.Find(entry.DataType)!.ReadAs is null)
        {
            Assert.Throws<CheckpointException>(() => file.ReadTensor(entry.Name));
            return;
        }
        var flat = values.EnumerateArray().ToList();
        if (entry.DataType == "U64" && flat.Any(value => value.TryGetUInt64(out var number) && number > long.MaxValue))
        {
            Assert.Contains("int64", Assert.Throws<CheckpointException>(() => file.ReadTensor(entry.Name)).Message, StringComparison.Ordinal);
            return;
        }
        using var scope = torch.NewDisposeScope();
        var tensor = file.ReadTensor(entry.Name);
        Assert.Equal(entry.Shape, tensor.shape);
        if (tensor.NumberOfElements == 0 || entry.DataType == "C64")
        {
            return; // nothing to compare, or: the bytes are compared; a complex number has no agreed form in the case file
        }
        if (entry.DataType is "I64" or "U64")
        {
            Assert.Equal(flat.Select(value => value.ValueKind == JsonValueKind.String ? long.Parse(value.GetString()!, System.Globalization.CultureInfo.InvariantCulture) : value.GetInt64()), tensor.data<long>().ToArray());
            return;
        }
        var actual = tensor.to(torch.float64).data<double>().ToArray();
        Assert.Equal(flat.Select(Number), actual);
    }

    private static double Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => GoldenCase.Number(value),
    };

    private static Dictionary<string, string> Texts(JsonElement metadata) => metadata.ValueKind == JsonValueKind.Null
        ? []
        : metadata.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!);

    private static TheoryData<string> Files(string index)
    {
        var rows = new TheoryData<string>();
        foreach (var folder in Golden.Folders(Area).Where(folder => File.Exists(Path.Combine(folder, index))))
        {
            using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, index)));
            foreach (var golden in cases.RootElement.EnumerateArray())
            {
                rows.Add(Path.Combine(folder, golden.GetProperty("file").GetString()!));
            }
        }
        return rows;
    }

    private static JsonElement Case(string path, string index)
    {
        var folder = Path.GetDirectoryName(Path.GetDirectoryName(path))!;
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, index)));
        return cases.RootElement.EnumerateArray().Single(golden => Path.Combine(folder, golden.GetProperty("file").GetString()!) == path).Clone();
    }
}
