using System.Text.Json;
using Nabla.Core;

namespace Nabla.Data.Tests;

public class CatalogueTests
{
    [Fact]
    public void All_Entries_AreComplete()
    {
        Assert.Equal(["adult", "california-housing", "fashion-mnist", "german-credit", "iris", "names", "shapes", "sst2", "tinyshakespeare", "wine-quality"], Data.Catalogue.All.Select(entry => entry.Name));
        foreach (var entry in Data.Catalogue.All)
        {
            Assert.True(entry.IsGenerated == (entry.Files.Count == 0), entry.Name);
            Assert.NotEmpty(entry.Card.Problems);
            Assert.NotEmpty(entry.Card.NotFor);
            Assert.Contains("Not to be used for:", entry.Card.ToText(), StringComparison.Ordinal);
            Assert.Matches("^sha256:[0-9a-f]{64}$", entry.ContentHash());
            foreach (var file in entry.Files)
            {
                Assert.Matches("^[0-9a-f]{64}$", file.Sha256);
                Assert.Matches(@"^https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/", file.Published.Url!.ToString());
                Assert.True((file.Original is null) == (file.Url is not null), file.Name);
            }
        }
        Assert.Equal(Data.Catalogue.All.Count, Data.Catalogue.All.Select(entry => entry.ContentHash()).Distinct().Count());
    }

    [Fact]
    public void All_Hashes_AreThoseOfTheSharedFolder()
    {
        var folder = SharedData.Require();
        var sums = File.ReadLines(Path.Combine(folder, "SHA256SUMS")).ToDictionary(line => line[66..], line => line[..64]);
        foreach (var (entry, file) in Data.Catalogue.All.SelectMany(entry => entry.Files.Select(file => (entry, file))))
        {
            Assert.Equal(sums[$"{entry.Name}/{file.Name}"], file.Sha256);
            Assert.Equal(new FileInfo(Path.Combine(folder, entry.Name, file.Name)).Length, file.Size);
        }
    }

    [Fact]
    public void All_Originals_AreTheContentOfThePackedFiles()
    {
        var folder = SharedData.Require();
        using var temp = new TempFolder();
        foreach (var (entry, file) in Data.Catalogue.All.SelectMany(entry => entry.Files.Where(file => file.Original is not null).Select(file => (entry, file))))
        {
            var plain = temp.Write(file.Original!.Name, PlainText.ReadBytes(Path.Combine(folder, entry.Name, file.Name)));
            Assert.Equal(file.Original.Sha256, FileHash.Sha256(plain));
            Assert.Equal(file.Original.Size, new FileInfo(plain).Length);
        }
    }

    [Fact]
    public void ContentHash_OfTheFiles_IsThatOfTheEntry()
    {
        var folder = Path.Combine(SharedData.Require(), "iris");
        Assert.Equal(Data.Catalogue.Find("iris").ContentHash(), FileHash.ContentHash(Path.Combine(folder, "iris.csv")));
    }

    [Fact]
    public void Find_Misspelled_SuggestsTheNearest()
        => Assert.Contains("Data set 'fashion_mnist' is not known. Did you mean 'fashion-mnist'?", Assert.Throws<DataException>(() => Data.Catalogue.Find("fashion_mnist")).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_SetNotThere_SaysWhereAndHow()
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<DataException>(() => DataSets.Load("sst2", folder.Path));
        Assert.Equal($"Data set 'sst2': expected train.tsv.gz or train.tsv in {Path.Combine(folder.Path, "sst2")}, found no such file. "
            + "Run `nabla data pull sst2`, or set NABLA_DATA to a folder that holds sst2/.", error.Message);
    }

    [Fact]
    public void Load_ChangedFile_SaysBothHashesAndWhatToDo()
    {
        using var folder = new TempFolder();
        folder.Write("iris/iris.csv", "5.1,3.5,1.4,0.2,Iris-setosa\n");
        var error = Assert.Throws<DataException>(() => DataSets.Load("iris", folder.Path));
        Assert.Contains("iris.csv: expected SHA-256 f5d0c11e5c78a69a20dbb80baf2b24703f59a6687595752abb397d23732647c5 (4549 bytes), got ", error.Message, StringComparison.Ordinal);
        Assert.Contains("nabla data pull iris", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_PlainFormOfAPackedFile_IsRead()
    {
        var shared = SharedData.Require();
        using var folder = new TempFolder();
        folder.Write("california-housing/housing.csv", PlainText.ReadBytes(Path.Combine(shared, "california-housing", "housing.csv.gz")));
        using var data = DataSets.Load("california-housing", folder.Path);
        Assert.Equal(20640, data.Counts["train"]);
        Assert.True(DataFolder.Holds(Data.Catalogue.Find("california-housing"), folder.Path));
    }

    [Fact]
    public void Resolve_Environment_ComesFirst()
    {
        Assert.Equal(Path.GetFullPath("some/data"), DataFolder.Resolve(name => name == "NABLA_DATA" ? "some/data" : null));
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal("/cache/nabla/data", DataFolder.Resolve(name => name == "XDG_CACHE_HOME" ? "/cache" : null));
            Assert.EndsWith("/.cache/nabla/data", DataFolder.Resolve(_ => null), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Info_OfIris_CountsLabelsAndSerialises()
    {
        var info = DataSetInfo.Of("iris", SharedData.Require());
        Assert.True(info.IsPresent);
        var split = Assert.Single(info.Splits);
        Assert.Equal(("train", 150), (split.Name, split.Count));
        Assert.Equal([50, 50, 50], split.Labels!.Values);
        Assert.Equal(5, info.Samples.Count);
        Assert.Equal("sepal_length=5.1, sepal_width=3.5, petal_length=1.4, petal_width=0.2, species=Iris-setosa", info.Samples[0]);
        Assert.Contains("\"ContentHash\":\"sha256:", JsonSerializer.Serialize(info), StringComparison.Ordinal);
    }

    [Fact]
    public void Info_OfRegression_HasTheTargetsStatistics()
    {
        var split = DataSetInfo.Of("california-housing", SharedData.Require()).Splits.Single();
        Assert.Null(split.Labels);
        Assert.Equal((14999, 500001), (split.Target!.Minimum, split.Target.Maximum));
        Assert.Equal(206855.81690891474, split.Target.Mean, 1e-6);
    }

    [Fact]
    public void Info_OfAbsentSet_HasTheCardOnly()
    {
        using var folder = new TempFolder();
        var info = DataSetInfo.Of("adult", folder.Path);
        Assert.False(info.IsPresent);
        Assert.Empty(info.Splits);
        Assert.NotNull(info.Card);
    }

    [Fact]
    public void List_OfAnEmptyFolder_HasOnlyTheGeneratedSet()
    {
        using var folder = new TempFolder();
        var rows = DataSetRow.List(folder.Path);
        Assert.Equal(["shapes"], rows.Where(row => row.IsPresent).Select(row => row.Name));
        Assert.Equal(3422882 + 383214 + 94931, rows.Single(row => row.Name == "sst2").Bytes);
    }
}
