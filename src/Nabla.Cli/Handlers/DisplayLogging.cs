using Microsoft.Extensions.Logging;

namespace Nabla.Cli;

/// <summary>Shows warnings and errors of the libraries in the display; the rest of the log is for programs.</summary>
internal sealed class DisplayLogging(ITrainingDisplay display) : ILoggerFactory
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(display);

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The display is the only place this log goes to.");

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class Logger(ITrainingDisplay display) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                display.OnMessage(new(logLevel == LogLevel.Warning ? DisplayLevel.Warning : DisplayLevel.Error, formatter(state, exception)));
            }
        }
    }
}
