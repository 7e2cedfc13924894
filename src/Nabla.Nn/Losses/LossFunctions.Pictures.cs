namespace Nabla.Nn;

public static partial class LossFunctions
{
    /// <summary>
    /// Overlap of masks, <c>1 - (2 sum(p y) + smooth) / (sum p + sum y + smooth)</c> with p = sigmoid(logits), mean over batch (and channels).
    /// Source: Milletari et al. (2016), arXiv:1606.04797.
    /// </summary>
    /// <param name="logits"><c>[batch, channels, height, width]</c>, or more axes.</param>
    /// <param name="targets">0 or 1, the same shape.</param>
    /// <param name="smooth">Added above and below, so that empty masks are defined.</param>
    /// <param name="isSquared">Whether the sums below are over squares.</param>
    /// <param name="isPerChannel">Whether each channel counts on its own.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Dice(Tensor logits, Tensor targets, double smooth = 1, bool isSquared = false, bool isPerChannel = true)
    {
        var first = isPerChannel ? 2 : 1;
        if (logits.Dimensions <= first)
        {
            throw new ShapeException("Dice", nameof(logits), "[batch, channels, ...]", logits.Sizes());
        }
        using var scope = NewDisposeScope();
        var x = Widen(logits);
        var (p, y) = (x.sigmoid(), Align(x, targets, "Dice"));
        long[] axes = [.. Enumerable.Range(first, (int)x.Dimensions - first).Select(axis => (long)axis)];
        var above = (Number.Of(2) * (p * y).sum(axes)) + Number.Of(smooth);
        var below = (isSquared ? p.square() : p).sum(axes) + (isSquared ? y.square() : y).sum(axes) + Number.Of(smooth);
        return (Number.Of(1) - (above / below)).mean().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// One minus the overlap of boxes, mean over boxes: iou; giou (Rezatofighi et al., 2019, arXiv:1902.09630) adds the empty part of the
    /// hull; diou the distance of centres and ciou also the aspect ratio (Zheng et al., 2020, arXiv:1911.08287).
    /// </summary>
    /// <param name="kind">iou, giou, diou or ciou.</param>
    /// <param name="predictions"><c>[boxes, 4]</c>: left, top, right, bottom.</param>
    /// <param name="targets">The same shape.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="ArgumentException">The kind is not known.</exception>
    public static Tensor Boxes(string kind, Tensor predictions, Tensor targets)
    {
        if (predictions.Sizes() is not [_, 4])
        {
            throw new ShapeException("Boxes", nameof(predictions), "[boxes, 4]", predictions.Sizes());
        }
        const double Epsilon = 1e-7;
        using var scope = NewDisposeScope();
        var a = Widen(predictions);
        var b = Align(a, targets, "Boxes");
        var ((aLow, aHigh), (bLow, bHigh)) = (Corners(a), Corners(b)); // [boxes, 2] each
        var common = (torch.minimum(aHigh, bHigh) - torch.maximum(aLow, bLow)).clamp_min(Number.Of(0)).prod(1); // [boxes]
        var union = (aHigh - aLow).prod(1) + (bHigh - bLow).prod(1) - common;
        var loss = Number.Of(1) - (common / (union + Number.Of(Epsilon)));
        var hull = torch.maximum(aHigh, bHigh) - torch.minimum(aLow, bLow); // [boxes, 2]
        switch (kind)
        {
            case "iou":
                break;
            case "giou":
                var area = hull.prod(1);
                loss = loss + ((area - union) / (area + Number.Of(Epsilon)));
                break;
            case "diou" or "ciou":
                var centres = (aLow + aHigh - bLow - bHigh).square().sum(1) / Number.Of(4);
                var overlapLoss = loss;
                loss = loss + (centres / (hull.square().sum(1) + Number.Of(Epsilon)));
                if (kind == "ciou")
                {
                    var difference = Angle(bHigh - bLow) - Angle(aHigh - aLow);
                    var aspect = Number.Of(4 / (Math.PI * Math.PI)) * difference.square();
                    var alpha = (aspect / (overlapLoss + aspect + Number.Of(Epsilon))).detach(); // carries no gradient, as in the paper
                    loss = loss + (alpha * aspect);
                }
                break;
            default:
                throw new ArgumentException($"Box loss '{kind}' is not known. Valid: iou, giou, diou, ciou.", nameof(kind));
        }
        return loss.mean().MoveToOuterDisposeScope();

        static (Tensor Low, Tensor High) Corners(Tensor boxes) => (boxes.narrow(1, 0, 2), boxes.narrow(1, 2, 2));
        static Tensor Angle(Tensor size) => (size.select(1, 0) / (size.select(1, 1) + Number.Of(Epsilon))).atan();
    }
}
