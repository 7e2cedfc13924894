// Torch's global generator belongs to the process: a test that trains must not draw from it while another does.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
