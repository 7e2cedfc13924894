namespace Nabla.Nn;

public static partial class LossFunctions
{
    /// <summary>Keeps an anchor nearer to a positive than to a negative, <c>max(0, d(a, p) - d(a, n) + margin)</c>. Source: Schroff et al. (2015), arXiv:1503.03832.</summary>
    /// <param name="anchors"><c>[batch, features]</c>.</param>
    /// <param name="positives">The same shape.</param>
    /// <param name="negatives">The same shape.</param>
    /// <param name="margin">Distance wanted, above 0.</param>
    /// <param name="norm">Norm of the distance.</param>
    /// <param name="swaps">Whether the smaller of d(a, n) and d(p, n) counts.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Triplet(Tensor anchors, Tensor positives, Tensor negatives, double margin = 1, double norm = 2, bool swaps = false, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var a = Widen(anchors);
        var (p, n) = (Align(a, positives, "Triplet"), Align(a, negatives, "Triplet"));
        var (near, far) = (functional.pairwise_distance(a, p, norm), functional.pairwise_distance(a, n, norm)); // [batch]
        far = swaps ? torch.minimum(far, functional.pairwise_distance(p, n, norm)) : far;
        return Reduce((near - far + Number.Of(margin)).clamp_min(Number.Of(0)), reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Half the squared distance of equal pairs, half the squared shortfall to a margin of others. Source: Hadsell et al. (2006).</summary>
    /// <param name="left"><c>[batch, features]</c>.</param>
    /// <param name="right">The same shape.</param>
    /// <param name="same">1 for equal pairs, else 0, <c>[batch]</c>.</param>
    /// <param name="margin">Distance wanted of others.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor ContrastivePairs(Tensor left, Tensor right, Tensor same, double margin = 1)
    {
        using var scope = NewDisposeScope();
        var a = Widen(left);
        var squared = (a - Align(a, right, "ContrastivePairs")).square().sum(-1); // [batch]
        var y = Align(squared, same, "ContrastivePairs");
        var distance = squared.clamp_min(Number.Of(1e-24)).sqrt(); // the root has no finite gradient at 0
        return (Number.Of(0.5) * ((y * squared) + ((Number.Of(1) - y) * (Number.Of(margin) - distance).clamp_min(Number.Of(0)).square())).mean()).MoveToOuterDisposeScope();
    }

    /// <summary><c>1 - cos</c> of equal pairs, <c>max(0, cos - margin)</c> of others.</summary>
    /// <param name="left"><c>[batch, features]</c>.</param>
    /// <param name="right">The same shape.</param>
    /// <param name="targets">1 for equal pairs, else -1, <c>[batch]</c>.</param>
    /// <param name="margin">Likeness allowed to others.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor CosineEmbedding(Tensor left, Tensor right, Tensor targets, double margin = 0, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var a = Widen(left);
        return functional.cosine_embedding_loss(a, Align(a, right, "CosineEmbedding"), targets, margin, reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Wants the first score above the second (target 1) or below it (-1), <c>max(0, -target (a - b) + margin)</c>.</summary>
    /// <param name="left">Scores, any shape.</param>
    /// <param name="right">The same shape.</param>
    /// <param name="targets">1 or -1, the same shape.</param>
    /// <param name="margin">Distance wanted.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor MarginRanking(Tensor left, Tensor right, Tensor targets, double margin = 0, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var a = Widen(left);
        return functional.margin_ranking_loss(a, Align(a, right, "MarginRanking"), Align(a, targets, "MarginRanking"), margin, reduction).MoveToOuterDisposeScope();
    }

    /// <summary>The distance itself for target 1, <c>max(0, margin - distance)</c> for -1.</summary>
    /// <param name="distances">Any shape.</param>
    /// <param name="targets">1 or -1, the same shape.</param>
    /// <param name="margin">Distance wanted of others.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor HingeEmbedding(Tensor distances, Tensor targets, double margin = 1, Reduction reduction = Reduction.Mean)
        => Elementwise("HingeEmbedding", distances, targets, (x, y) => functional.hinge_embedding_loss(x, y, margin, reduction));

    /// <summary>Finds a query's own key among shared negatives. Source: van den Oord et al. (2018), arXiv:1807.03748.</summary>
    /// <param name="queries"><c>[batch, features]</c>.</param>
    /// <param name="keys">The same shape.</param>
    /// <param name="negatives"><c>[negatives, features]</c>.</param>
    /// <param name="temperature">Sharpness, above 0.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor InfoNce(Tensor queries, Tensor keys, Tensor negatives, double temperature = 0.1)
    {
        using var scope = NewDisposeScope();
        var q = Widen(queries);
        var own = (q * Align(q, keys, "InfoNce")).sum(-1, keepdim: true); // [batch, 1]
        var others = SafeOps.MatMul(q, negatives.to(q.dtype).t()); // [batch, negatives]
        var logits = torch.cat([own, others], 1) / Number.Of(temperature);
        return functional.cross_entropy(logits, torch.zeros([q.Sizes()[0]], ScalarType.Int64, q.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Finds the other view of the same example among 2 batch - 1 views. Source: Chen et al. (2020), arXiv:2002.05709.</summary>
    /// <param name="left">First views, <c>[batch, features]</c>.</param>
    /// <param name="right">Second views, the same shape.</param>
    /// <param name="temperature">Sharpness, above 0.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor NormalizedTemperatureCrossEntropy(Tensor left, Tensor right, double temperature = 0.5)
    {
        using var scope = NewDisposeScope();
        var a = Widen(left);
        var z = functional.normalize(torch.cat([a, Align(a, right, "NormalizedTemperatureCrossEntropy")]), dim: -1); // [2 batch, features]
        var count = a.Sizes()[0];
        var similarity = SafeOps.MatMul(z, z.t()) / Number.Of(temperature); // [2 batch, 2 batch]
        similarity = similarity.masked_fill(torch.eye(2 * count, dtype: ScalarType.Bool, device: z.device), Number.Of(double.NegativeInfinity));
        var partners = torch.cat([torch.arange(Number.Of(count), Number.Of(2 * count), ScalarType.Int64, device: z.device), torch.arange(Number.Of(count), ScalarType.Int64, device: z.device)]);
        return functional.cross_entropy(similarity, partners).MoveToOuterDisposeScope();
    }

    /// <summary>Matches pictures and texts both ways. Source: Radford et al. (2021), arXiv:2103.00020, figure 3.</summary>
    /// <param name="left"><c>[batch, features]</c>.</param>
    /// <param name="right">The same shape, row by row the partners.</param>
    /// <param name="logScale">Logarithm of the trained sharpness, <c>[]</c>.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor ContrastiveMatching(Tensor left, Tensor right, Tensor logScale)
    {
        using var scope = NewDisposeScope();
        var a = Widen(left);
        var (x, y) = (functional.normalize(a, dim: -1), functional.normalize(Align(a, right, "ContrastiveMatching"), dim: -1));
        var logits = logScale.exp() * SafeOps.MatMul(x, y.t()); // [batch, batch]
        var own = torch.arange(Number.Of(a.Sizes()[0]), ScalarType.Int64, device: a.device);
        return ((functional.cross_entropy(logits, own) + functional.cross_entropy(logits.t(), own)) / Number.Of(2)).MoveToOuterDisposeScope();
    }
}
