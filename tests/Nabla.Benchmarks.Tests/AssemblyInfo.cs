using Xunit.Sdk;
using Xunit.v3;

// One torch thread and leak statistics of a thread: tests run one after another.
[assembly: Parallelization(Mode = ParallelMode.None)]
