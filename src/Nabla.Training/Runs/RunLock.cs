using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// The right to train in a run folder, held by one process at a time. The operating system takes it back when the process ends,
/// however it ends. The owner disposes it.
/// </summary>
public sealed class RunLock : IDisposable
{
    private const string FileName = "run.lock";
    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Takes the lock of a run folder.</summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="CheckpointException">Another process holds it, or the folder cannot be written.</exception>
    public static RunLock Acquire(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            try
            {
                file.SetLength(0);
                file.Write(System.Text.Encoding.ASCII.GetBytes(FormattableString.Invariant($"{Environment.ProcessId}\n")));
                file.Flush();
            }
            catch
            {
                file.Dispose();
                throw;
            }
            return new(file);
        }
        catch (Exception error) when (error is UnauthorizedAccessException || (error is IOException && !IsSharing(error)))
        {
            throw new CheckpointException($"{folder}: expected a run folder that can be written, got an error: {error.Message} Change its permissions, or train into another folder with --out.", error);
        }
        catch (IOException error)
        {
            throw new CheckpointException($"{folder}: expected to be the only process training in this run folder, got an error: {error.Message} Wait for the other process or end it, or start a new run.", error);
        }
    }

    // EWOULDBLOCK of Linux and of macOS, and ERROR_SHARING_VIOLATION: another process has the file. Anything else is the folder's or the disk's.
    private static bool IsSharing(Exception error) => error.HResult is 11 or 35 or unchecked((int)0x80070020);

    /// <summary>Whether a living process holds the lock.</summary>
    /// <param name="folder">The run folder.</param>
    public static bool IsHeld(string folder)
    {
        try
        {
            using var file = new FileStream(Path.Combine(folder, FileName), FileMode.Open, FileAccess.Read, FileShare.None);
            return false;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
