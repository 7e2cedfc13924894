namespace Nabla.Training.Tests;

/// <summary>Checkpoint files of a process that is killed when it has written so many bytes: what is written stays, and nothing follows.</summary>
internal sealed class DiesAtByte(long bytes) : UnsyncedFiles
{
    private long _left = bytes;

    public override void Write(string path, Action<Stream> write)
    {
        CheckAlive();
        using var memory = new MemoryStream();
        write(memory);
        var fits = (int)Math.Min(memory.Length, _left);
        File.WriteAllBytes(path, memory.ToArray()[..fits]);
        _left -= memory.Length;
        CheckAlive();
    }

    public override void RenameFolder(string from, string to)
    {
        CheckAlive();
        base.RenameFolder(from, to);
    }

    public override void DeleteFolder(string path)
    {
        CheckAlive();
        base.DeleteFolder(path);
    }

    private void CheckAlive()
    {
        if (_left <= 0)
        {
            throw new Killed();
        }
    }

    public sealed class Killed : Exception;
}
