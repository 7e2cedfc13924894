using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class TokenFileTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-tokens-");

    private string At(string name) => Path.Combine(_root.FullName, name);

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Write_ThenOpen_GivesTheTokensBack() => Gen.Select(Gen.Int[0, 4], Gen.Int[1, 6], Gen.Int[1, 200], Gen.Long).Sample(
        (kind, pieces, length, seed) =>
        {
            var vocabulary = new[] { 2, 65, 65_536, 65_537, 3_000_000 }[kind];
            var random = RandomStream.At(seed, RandomPurpose.Other);
            int[][] tokens = [.. Enumerable.Range(0, pieces).Select(_ => Enumerable.Range(0, length).Select(_ => (int)random.NextLong(vocabulary)).ToArray())];
            int[] all = [.. tokens.SelectMany(piece => piece)];
            all[0] = tokens[0][0] = vocabulary - 1;
            var path = At("a.tokens");

            Assert.Equal(all.Length, TokenWriter.Write(path, tokens, vocabulary));

            using var file = TokenFile.Open(path);
            file.Verify();
            Assert.Equal(((long)all.Length, vocabulary), (file.Count, file.VocabularySize));
            Assert.Equal(TokenFile.HeaderBytes + ((long)all.Length * (vocabulary <= 65_536 ? 2 : 4)), new FileInfo(path).Length);
            var (start, count) = ((int)random.NextLong(all.Length), 0);
            count = (int)random.NextLong(all.Length - start + 1);
            var read = new long[count];
            file.Slice(start, all.Length - start).Read(0, read);
            Assert.Equal(all.Skip(start).Take(count).Select(token => (long)token), read);
        },
        iter: 60,
        threads: 1);

    [Fact]
    public void LanguageModelSource_OverAFile_GivesTheBatchesOfMemory()
    {
        int[] tokens = [.. Enumerable.Range(0, 103).Select(i => (i * 7) % 31)];
        TokenWriter.Write(At("b.tokens"), [tokens[..50], tokens[50..]], 31);
        using var file = TokenFile.Open(At("b.tokens"));
        foreach (var windows in Enum.GetValues<TextWindows>())
        {
            LanguageModelOptions options = new() { Time = 8, Windows = windows };
            var (memory, mapped) = (new LanguageModelSource(tokens, options), new LanguageModelSource(file, options));
            Assert.Equal((memory.Count, memory.WindowsPerPass), (mapped.Count, mapped.WindowsPerPass));
            long[] all = [.. Enumerable.Range(0, (int)memory.Count)];
            using var expected = memory.Read(all);
            using var actual = mapped.Read(all);
            Assert.Equal(expected[Batch.Inputs].data<long>().ToArray(), actual[Batch.Inputs].data<long>().ToArray());
            Assert.Equal(expected[Batch.Targets].data<long>().ToArray(), actual[Batch.Targets].data<long>().ToArray());
        }
    }

    [Theory, InlineData("character"), InlineData("word")]
    public void WriteText_InBlocks_GivesTheTokensOfTheWholeText(string unit)
    {
        var text = string.Concat(Enumerable.Repeat("The quick brown fox, \U0001F98A and 12 geese don't\nwait. ", 200));
        File.WriteAllText(At("text.txt"), text);
        Assert.Equal(text, string.Concat(TokenWriter.Blocks(At("text.txt"), size: 61)));
        Assert.Equal("ab\U0001F98A\U0001F98Ac", string.Concat(Blocks("ab\U0001F98A\U0001F98Ac", 4)));

        var (count, size) = TokenWriter.WriteText(At("text.txt"), At("text.tokens"), blocks => unit == "word" ? WordVocabulary.Fit(blocks) : CharacterVocabulary.Fit(blocks));

        using var data = TokenData.Read(At("text.tokens"));
        var expected = data.Vocabulary.Encode(text);
        Assert.Equal(((long)expected.Length, data.Vocabulary.Size), (count, size));
        var actual = new long[count];
        data.File.Read(0, actual);
        Assert.Equal(expected.Select(token => (long)token), actual);
        var held = data.HoldOut(new() { Validation = 0.1, Test = 0.2, Strategy = "random" });
        Assert.Equal(count, held.Counts.Values.Sum());
        Assert.Equal(held.Counts["test"], held.Tokens("test").Count);
    }

    private string[] Blocks(string text, int size)
    {
        File.WriteAllText(At("blocks.txt"), text);
        return [.. TokenWriter.Blocks(At("blocks.txt"), size)];
    }

    [Fact]
    public void DamagedFiles_AreNamed()
    {
        var path = At("c.tokens");
        TokenWriter.Write(path, [[1, 2, 3, 4]], 5, CharacterVocabulary.Fit(["abcde"]));
        var whole = File.ReadAllBytes(path);

        File.WriteAllBytes(path, whole[..^3]);
        Assert.Contains("cut off", Assert.Throws<DataException>(() => TokenFile.Open(path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, whole[..40]);
        Assert.Contains("expected a token file", Assert.Throws<DataException>(() => TokenFile.Open(path)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, new string('x', 500));
        Assert.Contains("expected a token file", Assert.Throws<DataException>(() => TokenFile.Open(path)).Message, StringComparison.Ordinal);
        for (var place = 8; place < whole.Length; place++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[place] ^= 0x40;
            if (place is >= 36 and < 64 or >= 96 and < 128)
            {
                continue; // reserved
            }
            File.WriteAllBytes(path, damaged);
            Assert.Throws<DataException>(() =>
            {
                using var data = TokenData.Read(path);
                Assert.Equal(5, data.File.VocabularySize == 5 ? 5 : throw new DataException("another size"));
            });
        }
        Assert.Throws<DataException>(() => TokenWriter.Write(path, [[5]], 5));
        Assert.Throws<DataException>(() => TokenWriter.Write(path, [], 5));
        Assert.DoesNotContain(Directory.EnumerateFiles(_root.FullName), file => file.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal));
    }

    [Fact]
    public void IndexPermutation_IsAPermutation() => Gen.Select(Gen.Long[1, 3000], Gen.Long).Sample(
        (count, seed) =>
        {
            var order = new IndexPermutation(count, RandomStream.At(seed, RandomPurpose.Order));
            Assert.Equal(Enumerable.Range(0, (int)count).Select(i => (long)i), Enumerable.Range(0, (int)count).Select(i => order[i]).Order());
        },
        iter: 100);

    [Fact]
    public void EpochPlan_OfVeryManyExamples_DrawsSomeOnceEach()
    {
        var source = new CountingSource(EpochPlan.MostPermuted * 100);
        var loader = new DataLoader(source, new() { BatchSize = 1000, Shuffle = true, Seed = 3, ExamplesPerEpoch = 5000, PrefetchBatches = 0 });
        long[] Epoch(int epoch) => [.. Enumerable.Range(0, 5).SelectMany(batch => loader.IndicesOf(epoch, batch))];
        var first = Epoch(0);
        Assert.Equal(5000, first.Distinct().Count());
        Assert.Equal(first, Epoch(0));
        Assert.NotEqual(first, Epoch(1));
        Assert.InRange(first.Average() / source.Count, 0.47, 0.53); // 7 standard errors
    }
}
