// Torch's global generator belongs to the process: a test that compares masks must not lose draws to another that runs beside it.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
