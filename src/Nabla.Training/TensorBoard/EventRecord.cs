using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Nabla.Training;

/// <summary>
/// Bytes of TensorBoard's event files: TFRecord framing (length, masked CRC-32C, data, masked CRC-32C) around protocol buffer messages,
/// as in tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto.
/// </summary>
internal static class EventRecord
{
    private const uint MaskDelta = 0xA282EAD8; // tensorflow/core/lib/hash/crc32c.h

    /// <summary>The first record of a file.</summary>
    public static byte[] FileVersion(double wallTime) => Frame(Message(writer =>
    {
        writer.Double(1, wallTime);
        writer.Bytes(3, "brain.Event:2"u8);
    }));

    /// <summary>Tells TensorBoard to forget what an earlier file says of this step and later ones.</summary>
    public static byte[] SessionStart(double wallTime, long step) => Frame(Message(writer =>
    {
        writer.Double(1, wallTime);
        writer.Varint(2, step);
        writer.Bytes(7, Message(log => log.Varint(1, 1))); // SessionLog.status = START
    }));

    /// <summary>Values of one step.</summary>
    public static byte[] Scalars(double wallTime, long step, IEnumerable<KeyValuePair<string, double>> values) => Frame(Message(writer =>
    {
        writer.Double(1, wallTime);
        writer.Varint(2, step);
        writer.Bytes(5, Message(summary =>
        {
            foreach (var (tag, value) in values)
            {
                summary.Bytes(1, Message(entry =>
                {
                    entry.Bytes(1, Encoding.UTF8.GetBytes(tag));
                    entry.Float(2, (float)value);
                }));
            }
        }));
    }));

    /// <summary>CRC-32C (Castagnoli), rotated and shifted so that sums of data holding sums stay useful.</summary>
    public static uint MaskedChecksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }
        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + MaskDelta;
    }

    private static byte[] Frame(byte[] data)
    {
        var record = new byte[12 + data.Length + 4];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedChecksum(record.AsSpan(0, 8)));
        data.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), MaskedChecksum(data));
        return record;
    }

    private static byte[] Message(Action<ProtocolBuffer> write)
    {
        var writer = new ProtocolBuffer();
        write(writer);
        return writer.ToArray();
    }

    /// <summary>The four kinds of protocol buffer field that events need.</summary>
    private sealed class ProtocolBuffer
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public void Varint(int field, long value)
        {
            Tag(field, 0);
            Raw((ulong)value);
        }

        public void Double(int field, double value)
        {
            Tag(field, 1);
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
            _bytes.Write(bytes);
        }

        public void Bytes(int field, ReadOnlySpan<byte> value)
        {
            Tag(field, 2);
            Raw((ulong)value.Length);
            _bytes.Write(value);
        }

        public void Float(int field, float value)
        {
            Tag(field, 5);
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _bytes.Write(bytes);
        }

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

        private void Tag(int field, int wireType) => Raw((ulong)((field << 3) | wireType));

        private void Raw(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
            {
                _bytes.Write([(byte)(value | 0x80)]);
            }
            _bytes.Write([(byte)value]);
        }
    }
}
