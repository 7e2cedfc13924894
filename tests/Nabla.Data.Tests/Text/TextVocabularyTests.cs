using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class TextVocabularyTests
{
    [Fact]
    public void Character_EncodeThenDecode_GivesTheTextBack()
        => Gen.String.Where(text => text.Length > 0 && text.EnumerateRunes().All(rune => rune.Value != 0xFFFD)).Sample(text =>
        {
            var vocabulary = TextVocabulary.FromJson(CharacterVocabulary.Fit([text]).ToJson());
            Assert.Equal(text, vocabulary.Decode(vocabulary.Encode(text)));
            Assert.Equal(text.EnumerateRunes().Distinct().Count(), vocabulary.Size);
        });

    [Fact]
    public void Character_IdsFollowCodePoints()
    {
        var vocabulary = CharacterVocabulary.Fit(["hello", "a\U0001F600"]);
        Assert.Equal([2, 1, 3, 3, 4, 0, 5], vocabulary.Encode("helloa\U0001F600"));
        Assert.Null(vocabulary.BoundaryId);
        var bounded = (CharacterVocabulary)TextVocabulary.FromJson(CharacterVocabulary.Fit(["ab"], boundary: true).ToJson());
        Assert.Equal([1, 2], bounded.Encode("ab"));
        Assert.Equal((0, 3), (bounded.BoundaryId, bounded.Size));
        Assert.Equal("\nba\n", bounded.Decode([0, 2, 1, 0]));
    }

    [Fact]
    public void Character_UnknownCharacter_IsNamed()
    {
        var error = Assert.Throws<DataException>(() => CharacterVocabulary.Fit(["abc"]).Encode("ab\u00e9"));
        Assert.Equal("CharacterVocabulary.Encode: character '\u00e9' (U+00E9) at place 2 is not among the 3 characters seen in training. Leave it out or replace it.", error.Message);
        Assert.Throws<DataException>(() => CharacterVocabulary.Fit([""]));
        Assert.Throws<ArgumentOutOfRangeException>(() => CharacterVocabulary.Fit(["a"]).Decode([1]));
    }

    [Theory]
    [InlineData("It's  GOOD, isn't it?", new[] { "it's", "good", ",", "isn't", "it", "?" })]
    [InlineData("do n't", new[] { "do", "n't" })]
    [InlineData("caf\u00e9 -- 3.5\t\U0001F600!", new[] { "caf\u00e9", "-", "-", "3", ".", "5", "\U0001F600", "!" })]
    [InlineData("'quoted'", new[] { "'", "quoted", "'" })]
    [InlineData(" \n", new string[0])]
    public void Word_Split_FollowsTheRule(string text, string[] expected) => Assert.Equal(expected, WordVocabulary.Split(text, lowerCase: true));

    [Fact]
    public void Word_Fit_KeepsFrequentWordsInOrder()
    {
        var vocabulary = WordVocabulary.Fit(["the cat the dog", "The Cat a"], new() { MinFrequency = 2 });
        Assert.Equal(4, vocabulary.Size);
        Assert.Equal([2, 3, 1], vocabulary.Encode("THE cat dog"));
        Assert.Equal("the cat [unknown]", vocabulary.Decode([2, 3, 1, 0]));
        Assert.Equal(3, WordVocabulary.Fit(["b a b"], new() { MaxSize = 3 }).Size);
        Assert.Equal([2, 1], WordVocabulary.Fit(["b a b"], new() { MaxSize = 3 }).Encode("b a"));
        Assert.Equal([2, 3], WordVocabulary.Fit(["b a"]).Encode("a b")); // equally frequent: ordinal
        Assert.Equal([1], WordVocabulary.Fit(["A b"], new() { LowerCase = false }).Encode("a"));
    }

    [Fact]
    public void Word_Json_GivesTheSameVocabularyBack()
    {
        var vocabulary = WordVocabulary.Fit(["Ein \u201eText\u201c mit \U0001F600 und \ud800 halbem Zeichen"], new() { LowerCase = false });
        var again = TextVocabulary.FromJson(vocabulary.ToJson());
        Assert.Equal(vocabulary.Encode("Ein \U0001F600 \ud800 text"), again.Encode("Ein \U0001F600 \ud800 text"));
        Assert.Equal(vocabulary.Size, again.Size);
    }

    [Theory]
    [InlineData("{", "cannot be read")]
    [InlineData("null", "list of distinct tokens")]
    [InlineData("""{"kind":"word","version":1,"tokens":["a","a"]}""", "one twice")]
    [InlineData("""{"kind":"wort","version":1,"tokens":["a"]}""", "Did you mean 'word'?")]
    [InlineData("""{"kind":"character","version":1,"tokens":["ab"]}""", "expected single characters, got 'ab'")]
    [InlineData("""{"kind":"word","version":2,"tokens":["a"]}""", "Use a newer Nabla")]
    public void FromJson_Unusable_SaysWhy(string json, string message)
        => Assert.Contains(message, Assert.Throws<DataException>(() => TextVocabulary.FromJson(json)).Message);
}
