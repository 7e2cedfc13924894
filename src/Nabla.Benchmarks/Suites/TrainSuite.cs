namespace Nabla.Benchmarks;

/// <summary>Suite <c>train</c>: one training step of each workload, raw TorchSharp against <c>nabla train</c>.</summary>
internal static class TrainSuite
{
    public const string Name = "train";

    /// <summary>The workload whose memory is measured.</summary>
    private const string MemoryWorkload = "W6";

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        foreach (var workload in TrainingWorkloads.All.Where(workload => context.Options.Workloads?.Contains(workload.Name) != false))
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            context.Report($"train: {workload.Name} {workload.Description}");
            yield return Measure(workload, context);
            if (AtenBaselines.Find(workload.Name) is { } aten)
            {
                context.Report($"train: {workload.Name} against direct calls");
                yield return MeasureAten(workload, aten, context);
            }
            if (workload.Name == MemoryWorkload && context.Options.Memory && SuiteContext.IsOnCpu)
            {
                context.Report($"train: {workload.Name} memory, each side in a process of its own");
                yield return MemoryOf(workload, context);
            }
        }
    }

    private static BenchmarkRow Measure(TrainingWorkload workload, SuiteContext context)
    {
        using var baseline = WithoutNabla(workload.Baseline);
        using var nabla = workload.Nabla(context.Options.Precision);
        var precision = nabla is StepRunnerStep runner ? runner.Precision : context.Options.Precision;
        var ratio = context.Compare(() => WithoutNabla(() => Checked(baseline, workload, "raw")), () => Checked(nabla, workload, "Nabla"));
        return context.SpeedUp(Name, workload.Name, workload.Description, ratio) with { Precision = precision, ShareOfPeak = ShareOfPeak(workload, nabla, precision, context) };
    }

    private static BenchmarkRow MeasureAten(TrainingWorkload workload, Func<ITrainingStep> aten, SuiteContext context)
    {
        using var direct = WithoutNabla(aten);
        using var nabla = workload.Nabla(PrecisionPolicy.Float32);
        var ratio = context.Compare(() => WithoutNabla(() => Checked(direct, workload, "direct")), () => Checked(nabla, workload, "Nabla"));
        return context.SpeedUp(Name, $"{workload.Name} direct", "float32 step against the same operations as direct ATen calls with one fused AdamW, without layers", ratio) with
        {
            Precision = PrecisionPolicy.Float32,
            ShareOfPeak = ShareOfPeak(workload, nabla, PrecisionPolicy.Float32, context),
        };
    }

    /// <summary>
    /// Of what the processor multiplies at most in the same seconds: large products and steps take turns, because clocks and tiles of a shared machine run
    /// at speeds that change from one second to the next.
    /// </summary>
    private static double ShareOfPeak(TrainingWorkload workload, ITrainingStep step, string precision, SuiteContext context)
    {
        using PeakProduct product = new(precision == PrecisionPolicy.BFloat16Mixed ? ScalarType.BFloat16 : ScalarType.Float32);
        var turns = context.Compare(product.Run, () => Checked(step, workload, "Nabla"));
        return turns.Ratio * workload.MultiplyAdds / PeakProduct.MultiplyAdds * context.Machine.MatrixRateOf(precision) / context.Machine.PeakOf(precision);
    }

    private static BenchmarkRow MemoryOf(TrainingWorkload workload, SuiteContext context)
    {
        var (raw, nabla) = (ChildMemory.Measure(workload.Name, ChildMemory.RawSide, context), ChildMemory.Measure(workload.Name, ChildMemory.NablaSide, context));
        return new()
        {
            Suite = Name,
            Workload = $"{workload.Name} memory",
            Description = "largest resident memory of a process that takes some steps, library and runtime included",
            RatioOf = "memory",
            Ratio = (double)nabla / raw,
            MemoryBytes = nabla,
            ReferenceMemoryBytes = raw,
            Precision = PrecisionPolicy.Resolve(context.Options.Precision, WorkloadDevice.Current).Name,
            Goals = context.Goals(Name, $"{workload.Name} memory"),
        };
    }

    /// <summary>The reference has libtorch's own allocator; the C library keeps freed memory for it, as for us, which makes it faster. On a GPU it has libtorch's own modes.</summary>
    private static T WithoutNabla<T>(Func<T> action)
    {
        if (!SuiteContext.IsOnCpu)
        {
            (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) = (false, true);
        }
        using var own = TensorHeap.Pause();
        return action();
    }

    private static double Checked(ITrainingStep step, TrainingWorkload workload, string side)
    {
        var loss = step.Step();
        if (!double.IsFinite(loss))
        {
            throw new TrainingException($"nabla bench: the {side} side of {workload.Name} has a loss of {loss}, so its time means nothing. Expected a finite loss; try --precision float32.");
        }
        return loss;
    }
}
