namespace Nabla.Benchmarks;

/// <summary>
/// In-memory pictures through TorchSharp's data loader, after the MNIST data set of its documentation: one tensor a picture, put together
/// in batches by the loader. TorchVision is a package of its own, so the augmentation is written by hand: pad by 2, crop, flip.
/// </summary>
internal sealed class LoaderBaseline(Tensor pictures, Tensor labels, bool augment, int batchSize) : IDisposable
{
    // The loader disposes each batch before the next, and the data set with itself.
    private readonly TorchSharp.Modules.DataLoader _loader = torch.utils.data.DataLoader(new Pictures(pictures, labels, augment), batchSize, shuffle: true, device: WorkloadDevice.Current);

    /// <summary>Reads an epoch and says how many batches it had.</summary>
    public int ReadEpoch()
    {
        var batches = 0;
        foreach (var batch in _loader)
        {
            _ = batch["data"];
            batches++;
        }
        return batches;
    }

    public void Dispose() => _loader.Dispose();

    private sealed class Pictures : torch.utils.data.Dataset
    {
        private const int Padding = 2;
        private readonly List<Tensor> _pictures, _labels;
        private readonly bool _augment;

        public Pictures(Tensor pictures, Tensor labels, bool augment)
        {
            using var scope = NewDisposeScope();
            _pictures = [.. Enumerable.Range(0, (int)pictures.shape[0]).Select(i => (pictures[i].to_type(ScalarType.Float32) / Number.Of(255)).DetachFromDisposeScope())];
            _labels = [.. Enumerable.Range(0, (int)labels.shape[0]).Select(i => labels[i].clone().DetachFromDisposeScope())];
            _augment = augment;
        }

        public override long Count => _pictures.Count;

        public override Dictionary<string, Tensor> GetTensor(long index) => new()
        {
            ["data"] = _augment ? Augmented(_pictures[(int)index]) : _pictures[(int)index],
            ["label"] = _labels[(int)index],
        };

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                foreach (var tensor in _pictures.Concat(_labels))
                {
                    tensor.Dispose();
                }
            }
            base.Dispose(disposing);
        }

        private static Tensor Augmented(Tensor picture)
        {
            using var scope = NewDisposeScope();
            var (height, width) = (picture.shape[1], picture.shape[2]);
            var padded = nn.functional.pad(picture, [Padding, Padding, Padding, Padding]);
            var (top, left) = (randint(0, (2 * Padding) + 1, [1]).item<long>(), randint(0, (2 * Padding) + 1, [1]).item<long>());
            var cropped = padded.narrow(1, top, height).narrow(2, left, width);
            return (rand(1).item<float>() < 0.5 ? cropped.flip(2) : cropped).MoveToOuterDisposeScope();
        }
    }
}
