using System.Buffers.Binary;
using System.Text;

namespace Nabla.Training.Tests;

/// <summary>Reads event files back by the published formats of TFRecord and protocol buffers, written here a second time.</summary>
public sealed class TensorBoardWriterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nabla-events-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void WriteScalars_ReadBack_GivesEveryValueWithItsStep()
    {
        using (var writer = new TensorBoardWriter(_folder.FullName, firstStep: 7))
        {
            writer.WriteScalars(10, [new("train/loss", 0.5), new("validation/f\u00fc", double.NaN)]);
            writer.WriteScalars(long.MaxValue, [new("x", -1e30)]);
        }

        var events = Records(Assert.Single(Directory.GetFiles(_folder.FullName))).Select(Fields).ToList();

        Assert.Equal("brain.Event:2", Encoding.UTF8.GetString(Bytes(events[0], 3)));
        Assert.Equal((7UL, 1UL), ((ulong)events[1].Single(field => field.Number == 2).Value, (ulong)Fields(Bytes(events[1], 7)).Single(field => field.Number == 1).Value));
        Assert.Equal([(10L, "train/loss", 0.5f), (10L, "validation/f\u00fc", float.NaN), (long.MaxValue, "x", -1e30f)], events.Skip(2).SelectMany(Scalars));
        Assert.All(events, entry => Assert.InRange((double)entry.Single(field => field.Number == 1).Value, 1.6e9, 4e9));
    }

    [Fact]
    public void Create_TwoInOneSecond_GivesTwoFiles()
    {
        using var first = new TensorBoardWriter(_folder.FullName);
        using var second = new TensorBoardWriter(_folder.FullName);

        Assert.NotEqual(first.FullPath, second.FullPath);
        Assert.All(Directory.GetFiles(_folder.FullName), path => Assert.StartsWith("events.out.tfevents.", Path.GetFileName(path), StringComparison.Ordinal));
    }

    [Fact]
    public void MaskedChecksum_KnownValues_AreThoseOfTensorFlow()
    {
        // CRC-32C of "123456789" is 0xE3069283 (RFC 3720, appendix B.4 gives the polynomial; the check value is the catalogue's).
        Assert.Equal(Mask(0xE3069283), EventRecord.MaskedChecksum("123456789"u8));
        Assert.Equal(Mask(0x8A9136AA), EventRecord.MaskedChecksum(new byte[32])); // RFC 3720, B.4: 32 bytes of zeros

        static uint Mask(uint crc) => unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8u);
    }

    private static IEnumerable<(long Step, string Tag, float Value)> Scalars(List<(int Number, object Value)> entry)
        => Fields(Bytes(entry, 5)).Select(value => Fields((byte[])value.Value)).Select(value => (
            (long)(ulong)entry.Single(field => field.Number == 2).Value,
            Encoding.UTF8.GetString(Bytes(value, 1)),
            (float)value.Single(field => field.Number == 2).Value));

    private static byte[] Bytes(List<(int Number, object Value)> fields, int number) => (byte[])fields.Single(field => field.Number == number).Value;

    private static IEnumerable<byte[]> Records(string path)
    {
        var bytes = File.ReadAllBytes(path);
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            Assert.Equal(Checksum(bytes.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)));
            Assert.Equal(Checksum(bytes.AsSpan(at + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)));
            yield return bytes[(at + 12)..(at + 12 + length)];
            at += 16 + length;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1; // the reflected Castagnoli polynomial
            }
        }
        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8u);
    }

    private static List<(int Number, object Value)> Fields(byte[] message)
    {
        List<(int, object)> fields = [];
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            object value = (tag & 7) switch
            {
                0 => Varint(message, ref at),
                1 => BinaryPrimitives.ReadDoubleLittleEndian(Take(message, ref at, 8)),
                2 => Take(message, ref at, (int)Varint(message, ref at)),
                5 => BinaryPrimitives.ReadSingleLittleEndian(Take(message, ref at, 4)),
                var other => throw new InvalidDataException($"Wire type {other}."),
            };
            fields.Add(((int)(tag >> 3), value));
        }
        return fields;
    }

    private static byte[] Take(byte[] message, ref int at, int count)
    {
        at += count;
        return message[(at - count)..at];
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
