using Xunit;

namespace Nabla.Testing;

/// <summary>Runs work with several numbers of native threads.</summary>
public static class ThreadCounts
{
    /// <summary>Passes when the work gives the same bits with one thread and with more.</summary>
    /// <param name="run">The work, the same each time it is called.</param>
    public static void AssertSameBits(Func<float[]> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var expected = run();
            Assert.NotEmpty(expected);
            Assert.All(expected, number => Assert.True(float.IsFinite(number)));
            foreach (var count in new[] { 2, 3, 4, 2 })
            {
                set_num_threads(count);
                Assert.Equal(count, get_num_threads());
                Assert.Equal(expected, run());
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
