using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// The C++ functions of libtorch behind autocast, which TorchSharp does not bind. They take and return numbers only, so they can be called by
/// address; the names are those of the Itanium C++ ABI (Linux, macOS).
/// </summary>
internal sealed unsafe class AutocastExports
{
    private static readonly Lazy<AutocastExports> Instance = new(() => new(NativeBootstrap.Loaded.Torch), LazyThreadSafetyMode.ExecutionAndPublication);
    private readonly nint _isEnabled, _setEnabled, _getType, _setType, _increment, _decrement, _clear;

    private AutocastExports(nint library)
    {
        List<string> missing = [];
        nint Find(string name)
        {
            if (NativeLibrary.TryGetExport(library, name, out var address))
            {
                return address;
            }
            missing.Add(name);
            return 0;
        }
        _isEnabled = Find("_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE");
        _setEnabled = Find("_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb");
        _getType = Find("_ZN2at8autocast18get_autocast_dtypeEN3c1010DeviceTypeE");
        _setType = Find("_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE");
        _increment = Find("_ZN2at8autocast17increment_nestingEv");
        _decrement = Find("_ZN2at8autocast17decrement_nestingEv");
        _clear = Find("_ZN2at8autocast11clear_cacheEv");
        Missing = missing;
    }

    /// <summary>The exports of the loaded library.</summary>
    public static AutocastExports Current => Instance.Value;

    /// <summary>Names that this libtorch does not export; nothing may be called unless it is empty.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Whether autocast is on for a device in this thread.</summary>
    public bool IsEnabled(DeviceType device) => ((delegate* unmanaged<sbyte, byte>)_isEnabled)((sbyte)device) != 0;

    /// <summary>Turns autocast on or off for a device in this thread.</summary>
    public void SetEnabled(DeviceType device, bool isEnabled) => ((delegate* unmanaged<sbyte, byte, void>)_setEnabled)((sbyte)device, isEnabled ? (byte)1 : (byte)0);

    /// <summary>The type that autocast computes in.</summary>
    public ScalarType GetScalarType(DeviceType device) => (ScalarType)((delegate* unmanaged<sbyte, sbyte>)_getType)((sbyte)device);

    /// <summary>Sets the type that autocast computes in, for this thread.</summary>
    public void SetScalarType(DeviceType device, ScalarType type) => ((delegate* unmanaged<sbyte, sbyte, void>)_setType)((sbyte)device, (sbyte)type);

    /// <summary>One level deeper.</summary>
    public void IncrementNesting() => ((delegate* unmanaged<int>)_increment)();

    /// <summary>One level up; at the outermost the casts of weights that were kept are freed.</summary>
    public void DecrementNesting()
    {
        if (((delegate* unmanaged<int>)_decrement)() == 0)
        {
            ((delegate* unmanaged<void>)_clear)();
        }
    }
}
