namespace Nabla.Nn.Tests;

public sealed class NormalizationsTests
{
    [Theory]
    [InlineData("group-norm")]
    [InlineData("layer-norm")]
    [InlineData("batch-norm")]
    public void ForChannels_New_ScalesByOneAndShiftsByNothing(string name)
    {
        for (var round = 0; round < 20; round++) // uninitialised memory is right by chance now and then
        {
            using var norm = Normalizations.ForChannels(name, 6, 2)!;
            Assert.All(norm.named_parameters(), named => Assert.Equal(
                Enumerable.Repeat(named.name.EndsWith("weight", StringComparison.Ordinal) ? 1f : 0f, 6), named.parameter.data<float>().ToArray()));
        }
    }
}
