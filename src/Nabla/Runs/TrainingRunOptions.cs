using Microsoft.Extensions.Logging;
using Nabla.Training;

namespace Nabla;

/// <summary>Where and how a run is made, besides its recipe.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Folder in which run folders are made; null: the environment variable <c>NABLA_RUNS</c>, else <c>runs</c>. Default: null.</summary>
    public string? OutputFolder { get; init; }

    /// <summary>Device: auto (the first GPU, else the processor), cpu, cuda or cuda:n. Default: auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Hear what happens and may end training, in this order. Default: none.</summary>
    public IReadOnlyList<TrainingCallback> Callbacks { get; init; } = [];

    /// <summary>Hears of the run once its data and model are ready, before the first step. Default: nobody.</summary>
    public Action<RunStarted>? Started { get; init; }

    /// <summary>Hears where the folder of a new run will be, before anything is written there. Default: nobody.</summary>
    public Action<string>? FolderChosen { get; init; }

    /// <summary>Hears of the run folder as soon as it is there, before data and model are. Default: nobody.</summary>
    public Action<string>? FolderReady { get; init; }

    /// <summary>Names of parameters that changed since the checkpoint that is resumed; null: none. Default: null.</summary>
    public ParameterMap? ParameterMap { get; init; }

    /// <summary>Hears of progress a few times a second. Default: nobody.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Which steps are profiled: time and memory by layer and operation, into profile.json, trace.json and the report. Null: none. Default: null.</summary>
    public ProfileOptions? Profile { get; init; }

    /// <summary>Makes loggers. Default: nothing is logged.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>Tells how much memory there is, for batch_size auto; null: the device.</summary>
    internal IMemoryMeter? Memory { get; init; }

    /// <summary>Source of time. Default: the system's clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>A run that is about to train.</summary>
public sealed record RunStarted
{
    /// <summary>The recipe, complete.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>The run folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Values in all parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>The device, such as cpu or cuda:0.</summary>
    public required string Device { get; init; }

    /// <summary>The arithmetic in use, such as float32 or bfloat16-mixed.</summary>
    public required string Precision { get; init; }

    /// <summary>The data set's name.</summary>
    public required string Data { get; init; }

    /// <summary>Training examples.</summary>
    public required long Examples { get; init; }

    /// <summary>Optimiser steps that are planned.</summary>
    public required long Steps { get; init; }

    /// <summary>What a user should know of the data before trusting the run.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>What came of a run.</summary>
public sealed record RunResult
{
    /// <summary>The run folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Final values by <c>split/metric</c>: validation and test are of the best checkpoint.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>What the profiler found; null when it was not asked.</summary>
    public ProfileReport? Profile { get; init; }

    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Time from start to end of this call.</summary>
    public required TimeSpan Elapsed { get; init; }
}
