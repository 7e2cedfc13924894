namespace Nabla.Training.Tests;

/// <summary>Checkpoint files without waiting for the disk: for tests that write hundreds of them and lose no power.</summary>
internal class UnsyncedFiles : CheckpointFiles
{
    public override void Write(string path, Action<Stream> write)
    {
        using var stream = new FileStream(path, FileMode.CreateNew);
        write(stream);
    }

    public override void WritePointer(string path, string text)
    {
        File.WriteAllText(path + AtomicFile.TemporaryMark, text);
        File.Move(path + AtomicFile.TemporaryMark, path, overwrite: true);
    }

    public override void Sync(string folder)
    {
    }
}
