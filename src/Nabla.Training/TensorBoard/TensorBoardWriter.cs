using System.Globalization;

namespace Nabla.Training;

/// <summary>Writes scalars for TensorBoard into an event file of its own. Not thread-safe; the owner disposes it.</summary>
public sealed class TensorBoardWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly TimeProvider _time;

    /// <summary>Starts an event file.</summary>
    /// <param name="folder">The folder that TensorBoard is pointed at, or one below it.</param>
    /// <param name="firstStep">First step that will be written: TensorBoard then forgets what earlier files of the folder say of it and later ones; null: it forgets nothing.</param>
    /// <param name="time">Clock; null: the system's.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public TensorBoardWriter(string folder, long? firstStep = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _time = time ?? TimeProvider.System;
        var seconds = _time.GetUtcNow().ToUnixTimeSeconds();
        // The name's parts are TensorFlow's: time, host, process; the last keeps two files of one second apart and in order.
        var number = 0;
        string path;
        do
        {
            path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{seconds}.{Environment.MachineName}.{Environment.ProcessId}.{number++}"));
        }
        while (File.Exists(path));
        FullPath = path;
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _file.Write(EventRecord.FileVersion(Now));
        if (firstStep is { } step)
        {
            _file.Write(EventRecord.SessionStart(Now, step));
        }
        _file.Flush();
    }

    /// <summary>The event file.</summary>
    public string FullPath { get; }

    private double Now => _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>Writes the values of a step; TensorBoard sees them at once.</summary>
    /// <param name="step">The step.</param>
    /// <param name="values">Values by tag, such as <c>train/loss</c>.</param>
    public void WriteScalars(long step, IEnumerable<KeyValuePair<string, double>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        _file.Write(EventRecord.Scalars(Now, step, values));
        _file.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
