namespace Nabla.Core.Tests;

public sealed class DoctorTests
{
    [Fact]
    public void Examine_OnThisMachine_FindsEverythingGoodOrSaysWhatToDo()
    {
        var checks = Doctor.Examine();

        Assert.DoesNotContain(checks, check => check.Status == DoctorStatus.Error);
        Assert.All(checks, check => Assert.True(check.Status == DoctorStatus.Good || check.Remedy?.Length > 10, $"{check.Name} has no remedy"));
        Assert.Contains(checks, check => check.Name == "libtorch" && check.Value.StartsWith("2.", StringComparison.Ordinal));
        Assert.Contains(checks, check => check is { Name: "Tensor engine" });
    }

    [Fact]
    public void Folder_ThatIsMissing_HasARemedy()
    {
        var check = Doctor.Folder("Data", Path.Combine(Path.GetTempPath(), "nabla-no-such-folder"), "Run nabla data pull.");

        Assert.Equal((DoctorStatus.Warning, "Run nabla data pull."), (check.Status, check.Remedy));
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:-1")]
    public void Parse_OfUnknownDevice_ListsTheValidForms(string text)
        => Assert.Contains("cuda", Assert.Throws<DeviceException>(() => Devices.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_OfMissingGpu_SaysHowToGetOne()
    {
        Assert.SkipUnless(Devices.CudaCount() == 0, "this machine has a GPU");
        Assert.Contains("NABLA_LIBTORCH", Assert.Throws<DeviceException>(() => Devices.Parse("cuda:0")).Message, StringComparison.Ordinal);
        Assert.Equal("cpu", Devices.NameOf(Devices.Parse("auto")));
    }
}
