using System.Globalization;

namespace Nabla.Core;

/// <summary>Chooses the device of a run from what a user wrote.</summary>
public static class Devices
{
    /// <summary>The device named by <paramref name="text"/>.</summary>
    /// <param name="text"><c>auto</c> (the first GPU, else the processor), <c>cpu</c>, <c>cuda</c> or <c>cuda:n</c>.</param>
    /// <exception cref="DeviceException">The name is not valid or there is no such device; the message lists those that are there.</exception>
    public static Device Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        NablaRuntime.EnsureLoaded();
        switch (text.ToLowerInvariant())
        {
            case "auto":
                return CudaCount() > 0 ? CUDA : CPU;
            case "cpu":
                return CPU;
            case "cuda":
                return Cuda(0, text);
        }
        if (text.StartsWith("cuda:", StringComparison.OrdinalIgnoreCase)
            && int.TryParse(text.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            return Cuda(index, text);
        }
        throw new DeviceException($"Device: expected auto, cpu, cuda or cuda:<number>, got '{text}'. {NearestName.Suggest(text, ["auto", "cpu", "cuda", "cuda:0"])}");
    }

    /// <summary>Number of CUDA devices that the loaded libtorch can use.</summary>
    public static int CudaCount()
    {
        NablaRuntime.EnsureLoaded();
        return cuda.is_available() ? cuda.device_count() : 0;
    }

    /// <summary>How a device is written in recipes, logs and the command line, such as <c>cuda:0</c>.</summary>
    /// <param name="device">The device.</param>
    public static string NameOf(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.type == DeviceType.CPU ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"{device.type.ToString().ToLowerInvariant()}:{Math.Max(0, device.index)}");
    }

    private static Device Cuda(int index, string text)
    {
        var count = CudaCount();
        if (index < count)
        {
            return new Device(DeviceType.CUDA, index);
        }
        var present = count == 0
            ? "this libtorch sees no CUDA device (the package is the CPU build: set NABLA_LIBTORCH to the torch/lib folder of a CUDA PyTorch install, and check the driver with nvidia-smi)"
            : $"there are {count}: cuda:0 to cuda:{count - 1}";
        throw new DeviceException($"Device '{text}' is not there; {present}. Use --device cpu to go on without it.");
    }
}
