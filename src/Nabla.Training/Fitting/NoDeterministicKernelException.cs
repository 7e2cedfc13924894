using Nabla.Core;

namespace Nabla.Training;

/// <summary>The GPU has no kernel for an operation that gives the same bits each time; see <see cref="DeterministicKernels"/>. Never leaves a step.</summary>
/// <param name="error">What libtorch said.</param>
internal sealed class NoDeterministicKernelException(Exception error) : Exception(error.Message.Split('.', 2)[0] + ".", error);
