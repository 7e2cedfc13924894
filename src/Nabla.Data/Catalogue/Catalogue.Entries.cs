namespace Nabla.Data;

public static partial class Catalogue
{
    // Repositories with the commit at which the files were read; see README.md of the data folder.
    private const string Fashion = "zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141";
    private const string CharRnn = "karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e";
    private const string Makemore = "karpathy/makemore/988aa59e4d8fefa526d06f3b453ad116258398d4";
    private const string Alps = "forest-snow/alps/3c7ef2c98249fc975a897b27f275695f97d5b7a9";
    private const string Ageron = "ageron/data/2ea73147454d2ff8c8a933913be4606f05b352ca";
    private const string Brownlee = "jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f";

    private const string GzipOnly = "The gzip form is the publisher's file compressed, nothing else; the publisher does not offer it, so a pull fetches the plain file, and either form is read.";

    private static CatalogueEntry[] Entries() =>
    [
        new()
        {
            Name = "fashion-mnist",
            Title = "Fashion-MNIST: 28x28 grey pictures of clothing",
            Task = DataTask.ImageClassification,
            Licence = "MIT",
            Splits = ["train", "test"],
            Classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
            Files =
            [
                File("train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", Fashion, "data/fashion/train-images-idx3-ubyte.gz"),
                File("train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", Fashion, "data/fashion/train-labels-idx1-ubyte.gz"),
                File("t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", Fashion, "data/fashion/t10k-images-idx3-ubyte.gz"),
                File("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", Fashion, "data/fashion/t10k-labels-idx1-ubyte.gz"),
            ],
            Card = new()
            {
                Description = "60,000 training and 10,000 test pictures of Zalando articles, 28x28 grey, ten classes of equal size. A drop-in successor of MNIST that is harder to solve.",
                Source = "Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747; github.com/zalandoresearch/fashion-mnist, commit b2617bb.",
                Problems =
                [
                    "Shirt, T-shirt/top, Pullover and Coat overlap, and some labels are arguable; most errors of good models lie there.",
                    "Pictures are centred product shots on a plain ground; results do not carry over to photographs.",
                ],
                NotFor = ["Claims about recognising clothing in photographs or on people.", "Comparing large models: the set is too small and too easy for that."],
                Changes = "None. A copy of the two picture files in a data folder may have been rebuilt from PNG copies; it is byte for byte the publisher's file, as the hash shows.",
            },
        },
        new()
        {
            Name = "tinyshakespeare",
            Title = "Tiny Shakespeare: 1.1 million characters of plays",
            Task = DataTask.LanguageModeling,
            Licence = "MIT (stated by the repository); the text is in the public domain",
            Splits = ["train"],
            Files = [File("input.txt", 1115394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", CharRnn, "data/tinyshakespeare/input.txt")],
            Card = new()
            {
                Description = "1,115,394 characters (65 different ones, 40,000 lines) from plays of Shakespeare, in one file. By custom the last tenth is held out for validation.",
                Source = "Collected by Andrej Karpathy (2015); github.com/karpathy/char-rnn, commit 6f9487a.",
                Problems =
                [
                    "The last tenth comes from other plays than the rest, so validation measures a change of text too.",
                    "English of about 1600, with the views of its time.",
                    "Small: models of more than a few million parameters learn it by heart.",
                ],
                NotFor = ["Judging how well a model knows present-day English.", "Products that speak to people."],
            },
        },
        new()
        {
            Name = "names",
            Title = "Names: 32,033 English first names",
            Task = DataTask.LanguageModeling,
            Licence = "MIT",
            Splits = ["train"],
            Files = [File("names.txt", 228145, "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d", Makemore, "names.txt")],
            Card = new()
            {
                Description = "32,033 first names in small letters a to z, one a line, from a list of the US Social Security Administration for 2018.",
                Source = "Andrej Karpathy; github.com/karpathy/makemore, commit 988aa59.",
                Problems =
                [
                    "2,539 lines repeat an earlier name (given to girls and boys); they can stand in train and validation both.",
                    "Names given in the USA, without accents; other languages are hardly there.",
                ],
                NotFor = ["Guessing sex, origin or religion of people by their names."],
            },
        },
        new()
        {
            Name = "sst2",
            Title = "SST-2: sentiment of sentences from film reviews",
            Task = DataTask.TextClassification,
            Licence = "MIT (repository); licence of the SST text unstated",
            Splits = ["train", "validation", "test"],
            Classes = ["negative", "positive"],
            Files =
            [
                Packed("train.tsv.gz", 1296278, "6ca4e5263d501878f4d62f077157b7bb7d9963542c55bc6800442efc42ffa92e",
                    File("train.tsv", 3422882, "920e317b2c52e12cd22db1da2c6708312bd7dc4f3712b9bbf1b50ee6c2c792ba", Alps, "data/SST-2/train.tsv")),
                Packed("dev.tsv.gz", 147268, "154c711e8e71f1bb16d35f7cf2d0fe802da59a499d45cb421626abbc621e394c",
                    File("dev.tsv", 383214, "92353770071a2a889f75d000a38a9e541ea8f0a5499e50f040b17917a5cbf66f", Alps, "data/SST-2/dev.tsv")),
                Packed("test.tsv.gz", 38131, "19553efc6f7bac0b7fdd37d4e29dc37c15e9e779767249a16f857fbfcedb23fa",
                    File("test.tsv", 94931, "54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0", Alps, "data/SST-2/test.tsv")),
            ],
            Card = new()
            {
                Description = "Sentences and parts of sentences from film reviews, negative (0) or positive (1), already cut into words and in small letters: 60,614 train, 6,735 validation, 872 test.",
                Source = "Socher et al. (2013), Stanford Sentiment Treebank, in the binary form of GLUE (Wang et al., 2019); github.com/forest-snow/alps, commit 3c7ef2c.",
                Problems =
                [
                    "Validation leaks: 4,166 of its 4,919 lines of four words or more stand inside a training line. Choose models by it with care and report on test.",
                    "Test is the labelled development set of GLUE (872 whole sentences); no test sentence stands inside a training line.",
                    "Only clear opinions were kept, and only about films.",
                ],
                NotFor = ["Judging the mood or health of people.", "Reports on validation instead of test."],
                Changes = GzipOnly,
            },
        },
        new()
        {
            Name = "california-housing",
            Title = "California Housing: median house values by district, 1990",
            Task = DataTask.TabularRegression,
            Licence = "unstated (StatLib; 1990 US census)",
            Splits = ["train"],
            Target = "median_house_value",
            Files =
            [
                Packed("housing.csv.gz", 436554, "f2496158e8cc227b05135090de2ba36f14cbdb1a9c764c75d7a9f845b12712f6",
                    File("housing.csv", 1423529, "2364609dc48bec7df3ba9dbb7041478e704ecddcee70ef1827ec3fc49d22c0cc", Ageron, "housing/housing.csv")),
                Document(File("SOURCE-README.md", 3680, "6bbd4ce0fad7eada99621e0c1e24d6df9ada498a1bb5d3750c1075c894593875", Ageron, "housing/README.md")),
            ],
            Card = new()
            {
                Description = "20,640 census block groups (600 to 3,000 people each): place, age of houses, rooms, bedrooms, people, households, median income (in 10,000 dollars), distance to the ocean as a category, and the median house value in dollars to be predicted.",
                Source = "Pace and Barry (1997), Sparse Spatial Autoregressions, Statistics and Probability Letters; github.com/ageron/data, commit 2ea7314.",
                Problems =
                [
                    "Values are capped: 965 districts stand at 500,001 dollars, ages at 52 years, incomes at 15.0001.",
                    "207 values of total_bedrooms were removed on purpose by the repository's author; ocean_proximity was added by him.",
                    "Neighbouring districts resemble each other, so a random split looks better than a split by region would.",
                ],
                NotFor = ["Prices of today or elsewhere.", "Decisions on credit, insurance or where people may live."],
                Changes = GzipOnly,
            },
        },
        new()
        {
            Name = "wine-quality",
            Title = "Wine Quality: grades of Portuguese vinho verde",
            Task = DataTask.TabularRegression,
            Licence = "unstated (UCI); the authors ask for citation",
            Splits = ["train"],
            Target = "quality",
            Files =
            [
                File("winequality-red.csv", 84028, "c9614512e980f1cbd221c796daa97f00c4898c3cd1716863abac60f6cd1a522e", Brownlee, "winequality-red.csv"),
                File("winequality-white.csv", 264255, "659d419fff887f225bf977d20520bb64a64cae203e460087f809721d4430ba27", Brownlee, "winequality-white.csv"),
                Document(File("winequality.names", 3305, "15d215e73b39105952380fd487e4ce1bf5a6b83a425abb285c2ec55193d3ca92", Brownlee, "winequality.names")),
            ],
            Card = new()
            {
                Description = "1,599 red and 4,898 white wines: eleven chemical measures, the colour (added from the file's name), and a grade from 0 to 10, the median of at least three tasters. Grades from 3 to 9 occur.",
                Source = "Cortez, Cerdeira, Almeida, Matos and Reis (2009), Decision Support Systems 47(4); UCI; github.com/jbrownlee/Datasets, commit d20fcb6.",
                Problems =
                [
                    "1,177 rows repeat an earlier one; a random split puts copies on both sides and looks better than it is.",
                    "Grades 5 and 6 make up three quarters; 3 and 9 are rare (30 and 5 wines).",
                    "One region, and no grape, maker or price.",
                ],
                NotFor = ["Grading other wines.", "Claims about what makes wine good: the grades are few tasters' opinions."],
            },
        },
        new()
        {
            Name = "iris",
            Title = "Iris: measures of 150 flowers of three kinds",
            Task = DataTask.TabularClassification,
            Licence = "unstated (UCI)",
            Splits = ["train"],
            Target = "species",
            Classes = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"],
            Files =
            [
                File("iris.csv", 4549, "f5d0c11e5c78a69a20dbb80baf2b24703f59a6687595752abb397d23732647c5", Brownlee, "iris.csv"),
                Document(File("iris.names", 2998, "71a09fb3ee237614cdb9c09d06e8ae1f610ce2a274c0d77272fea8a233e5eea3", Brownlee, "iris.names")),
            ],
            Card = new()
            {
                Description = "Length and width of sepal and petal, in centimetres, of 50 flowers each of Iris setosa, versicolor and virginica.",
                Source = "Anderson (1936) and Fisher (1936), The use of multiple measurements in taxonomic problems; UCI; github.com/jbrownlee/Datasets, commit d20fcb6.",
                Problems =
                [
                    "150 rows: a test split of 30 tells accuracy to within about 5 points.",
                    "Rows 35 and 38 differ from Fisher's article, as in the UCI copy.",
                    "Nearly linearly separable; almost any method reaches 95 %.",
                ],
                NotFor = ["Comparing methods.", "Telling apart flowers in the field."],
            },
        },
        new()
        {
            Name = "adult",
            Title = "Adult: income over 50,000 dollars, US census 1994",
            Task = DataTask.TabularClassification,
            Licence = "unstated (UCI Adult)",
            Splits = ["train", "test"],
            Target = "income",
            Classes = ["<=50K", ">50K"],
            Files =
            [
                Packed("adult-train.csv.gz", 408969, "c7a2b4716a97f930123e0baf879188d701e798172631a654fc703d4b082907f3",
                    File("adult-train.csv", 3974305, "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d", Brownlee, "adult-train.csv")),
                Packed("adult-test.csv.gz", 205233, "41743e91fe4d25fd353ea754bfdb850444d050bd14aaee06a5be952b6dbfa3ec",
                    File("adult-test.csv", 2003132, "72567b94f5c1a6f8501377dd80f93892c3848ff071cf91ba47e00b0785a28074", Brownlee, "adult-test.csv")),
                Document(File("adult.names", 5229, "c248284c0b5de30c9e1958d6cdd168a34a654758b620e68f46aefa83fc0a576a", Brownlee, "adult.names")),
            ],
            Card = new()
            {
                Description = "32,561 training and 16,281 test persons with age, work, education, family, origin, hours and capital gains; whether the yearly income is above 50,000 dollars (24 % are).",
                Source = "Kohavi and Becker (1996), from the US census of 1994; UCI; github.com/jbrownlee/Datasets, commit d20fcb6.",
                Problems =
                [
                    "Incomes differ by sex and race, and a model learns that: of the women 11 % are above the bound, of the men 31 %.",
                    "workclass, occupation and native-country are missing (?) for about 7 % of the rows.",
                    "fnlwgt is a survey weight, not a property of the person; education and education-num say the same.",
                    "The bound is arbitrary, and 50,000 dollars of 1994 are about twice as many today.",
                ],
                NotFor = ["Decisions about persons: credit, employment, prices.", "Statements about incomes of today."],
                Changes = GzipOnly + " The labels of the test file end with a full stop, as in the original; loading takes it off.",
            },
        },
        new()
        {
            Name = "german-credit",
            Title = "German Credit: 1,000 loans, good or bad",
            Task = DataTask.TabularClassification,
            Licence = "unstated (UCI Statlog)",
            Splits = ["train"],
            Target = "credit",
            Classes = ["good", "bad"],
            Files =
            [
                File("german.csv", 79793, "ec12a88b9fc14d74ba646ea0410cf7ff4533bec2eb61652f8ad76796bbfec017", Brownlee, "german.csv"),
                Document(File("german.names", 4679, "69b92cb551111bc37098698288849c96f0fd87ce81a2e54451ff39aa1e53fe49", Brownlee, "german.names")),
            ],
            Card = new()
            {
                Description = "1,000 loans of a German bank, seven number columns and thirteen coded category columns (codes in german.names); 700 good, 300 bad. Taking a bad loan for good costs five times as much as the other error.",
                Source = "Hofmann (1994), Statlog; UCI; github.com/jbrownlee/Datasets, commit d20fcb6.",
                Problems =
                [
                    "The coding of personal_status_and_sex is known to be wrong in this version (Groemping, 2019): women cannot be told from men reliably.",
                    "Bad loans were oversampled; 30 % is not the true rate.",
                    "Amounts are in Deutsche Mark of 1973 to 1975.",
                ],
                NotFor = ["Decisions on credit.", "Statements about sex, age or origin of borrowers."],
            },
        },
        new()
        {
            Name = "shapes",
            Title = "Shapes: generated pictures of coloured figures",
            Task = DataTask.ImageClassification,
            Licence = "MIT (made by Nabla)",
            Splits = ["train", "test"],
            Classes = ShapesGenerator.ClassNames,
            IsGenerated = true,
            Card = new()
            {
                Description = "Coloured geometric figures of eight classes on textured ground, 6,000 to train on and 1,000 to test on, 32x32 pixels, drawn by Nabla from a seed: the same seed gives the same pictures. It needs no network and no files.",
                Source = "Generated by Nabla.Data.",
                Problems = ["Far easier than photographs: accuracy near 1 says that training works, not that a model is good."],
                NotFor = ["Comparing models.", "Anything but trying out and testing."],
            },
        },
    ];
}
