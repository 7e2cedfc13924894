using CsCheck;

namespace Nabla.Data.Tests;

public sealed class PackingTests
{
    private static readonly Gen<(int[][] Lines, int Time)> Cases =
        from time in Gen.Int[2, 20]
        from lines in Gen.Int[1, 9].Array[0, 25].Array[1, 60]
        select (lines, time);

    [Fact]
    public void Rows_HoldEachLineOnceAndWholeWithItsTargetsAndPositions() => Cases.Sample(
        (lines, time) =>
        {
            var packed = new PackedLanguageModelSource(lines, boundaryId: 0, time);
            var alone = new LineLanguageModelSource(lines, boundaryId: 0, time);
            using var batch = packed.Read([.. Enumerable.Range(0, (int)packed.Count)]);
            long[] Field(string name) => batch[name].data<long>().ToArray();
            var (inputs, targets, documents, positions) = (Field(Batch.Inputs), Field(Batch.Targets), Field(Batch.Documents), Field(Batch.Positions));
            var seen = new List<int>();
            for (var row = 0; row < packed.Count; row++)
            {
                var numbers = packed.LinesOf(row);
                seen.AddRange(numbers);
                for (var document = 0; document < numbers.Count; document++)
                {
                    using var expected = alone.Read([numbers[document]]);
                    int[] places = [.. Enumerable.Range(row * time, time).Where(place => documents[place] == document + 1)];
                    Assert.Equal(places, Enumerable.Range(places[0], places.Length)); // together
                    Assert.Equal(expected[Batch.Inputs].data<long>().ToArray(), places.Select(place => inputs[place]));
                    Assert.Equal(expected[Batch.Targets].data<long>().ToArray(), places.Select(place => targets[place]));
                    Assert.Equal(Enumerable.Range(0, places.Length).Select(i => (long)i), places.Select(place => positions[place]));
                }
                Assert.All(Enumerable.Range(row * time, time).Where(place => documents[place] == 0), place => Assert.Equal((0L, LanguageModelSource.NoTarget), (inputs[place], targets[place])));
            }
            Assert.Equal(Enumerable.Range(0, lines.Length), seen.Order());
        },
        iter: 100,
        threads: 1);

    [Fact]
    public void Plan_LeavesNoTwoRowsThatWouldFitIntoOne() => Cases.Sample(
        (lines, time) =>
        {
            int[] lengths = [.. lines.Select(line => Math.Min(line.Length + 1, time))];
            int[] fills = [.. PackedRows.Plan(lengths, time).Select(row => row.Sum(number => lengths[number])).Order()];
            Assert.All(fills, fill => Assert.InRange(fill, 1, time));
            Assert.True(fills.Length < 2 || fills[0] + fills[1] > time);
        },
        iter: 200);

    [Fact]
    public void Plan_OfSmallCases_IsNearTheFewestRows() => Gen.Select(Gen.Int[3, 8], Gen.Int[1, 8].Array[1, 7]).Sample(
        (time, lengths) =>
        {
            int[] cut = [.. lengths.Select(length => Math.Min(length, time))];
            Assert.True(PackedRows.Plan(cut, time).Length <= (11 * Fewest(cut, time) / 9) + 1);
        },
        iter: 200);

    /// <summary>The fewest rows by trying every division.</summary>
    private static int Fewest(int[] lengths, int time)
    {
        int Try(int next, int[] rooms) => next == lengths.Length
            ? rooms.Length
            : Enumerable.Range(0, rooms.Length).Where(row => rooms[row] >= lengths[next])
                .Select(row => Try(next + 1, [.. rooms[..row], rooms[row] - lengths[next], .. rooms[(row + 1)..]]))
                .Append(Try(next + 1, [.. rooms, time - lengths[next]])).Min();
        return Try(0, []);
    }
}
