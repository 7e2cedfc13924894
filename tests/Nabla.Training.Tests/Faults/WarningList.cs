using Microsoft.Extensions.Logging;

namespace Nabla.Training.Tests;

/// <summary>A log that keeps its warnings.</summary>
internal sealed class WarningList : ILogger
{
    private readonly List<string> _messages = [];

    public IReadOnlyList<string> Messages
    {
        get
        {
            lock (_messages)
            {
                return [.. _messages];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning)
        {
            lock (_messages) // the thread that writes checkpoints warns too
            {
                _messages.Add(formatter(state, exception));
            }
        }
    }
}
