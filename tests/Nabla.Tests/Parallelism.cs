// torch's global generator belongs to the process: two exact trainings at once would draw from each other.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
