namespace Nabla.Tests;

public sealed class MetricHistoryTests
{
    [Fact]
    public void Read_WithACutOffLastLine_LeavesItOut()
    {
        var log = Read("""{"step":1,"a/x":1}""", """{"step":2,"a/x":2}""", """{"step":3,"a/""");
        Assert.Equal([1, 2], log.Curves.Single().Points.Select(point => point.Step));
        Assert.Empty(log.DamagedLines);
    }

    [Fact]
    public void Read_WithDamageInTheMiddle_NamesTheLines()
    {
        var log = Read("""{"step":1,"a/x":1}""", "garbage", "[1]", """{"epoch":2}""", "", """{"step":2,"a/x":2}""");
        Assert.Equal([2, 3, 4], log.DamagedLines);
        Assert.Equal(2, log.Curves.Single().Points.Count);
    }

    [Fact]
    public void Read_OfAResumedRun_ReplacesWhatWasLoggedAfterTheCheckpoint()
    {
        var log = Read("""{"step":1,"a/x":1}""", """{"step":2,"a/x":2}""", """{"step":3,"a/x":3}""", """{"step":2,"a/x":20}""", """{"step":3,"a/x":30}""");
        Assert.Equal([1, 20, 30], log.Curves.Single().Points.Select(point => point.Value));
    }

    [Fact]
    public void Read_OfValuesThatAreNotNumbers_KeepsThemAsSuch()
    {
        var log = Read("""{"step":1,"a/loss":"NaN","b/loss":"-Infinity","c/loss":null,"note":"text","flag":true}""");
        Assert.Equal(["a/loss", "b/loss", "c/loss"], log.Curves.Select(curve => curve.Name));
        Assert.Equal([double.NaN, double.NegativeInfinity, double.NaN], log.Curves.Select(curve => curve.Points[0].Value));
        Assert.True(double.IsNaN(log.Summarize()[0].Best));
    }

    [Fact]
    public void Read_OfTimes_TakesTextAndSeconds()
    {
        var log = Read("""{"step":1,"time":"2026-03-01T12:00:00Z"}""", """{"step":2,"time":1772366460.5}""");
        Assert.Equal(TimeSpan.FromSeconds(60.5), log.Last - log.First);
    }

    private static MetricHistory Read(params string[] lines)
    {
        using StringReader reader = new(string.Join('\n', lines));
        return MetricHistory.Read(reader);
    }
}
