namespace Nabla.Benchmarks;

/// <summary>
/// W6 in raw TorchSharp: nanoGPT's model (Karpathy, 2023) line by line, with the bound scaled dot-product attention, and a head tied to the
/// token vectors through the functional linear. Dropout stands on embeddings, attention weights, residuals and, as in PyTorch's
/// TransformerEncoderLayer and in Nabla's block, on the hidden units.
/// </summary>
internal static class GptBaseline
{
    public static ITrainingStep Create(Tensor x, Tensor y, int vocabulary, int features, int layers, int heads, double dropout)
    {
        var model = new Model(vocabulary, (int)x.shape[1], features, layers, heads, dropout);
        model.train();
        return new BaselineStep(model, () => functional.cross_entropy(model.call(x).view(-1, vocabulary), y.view(-1)), x, y);
    }

    private sealed class Model : Module<Tensor, Tensor>
    {
        private readonly Embedding wte, wpe;
        private readonly Dropout drop;
        private readonly ModuleList<Block> h;
        private readonly LayerNorm ln_f;

        public Model(int vocabulary, int time, int features, int layers, int heads, double dropout)
            : base("gpt")
        {
            wte = Embedding(vocabulary, features);
            wpe = Embedding(time, features);
            drop = Dropout(dropout);
            h = ModuleList([.. Enumerable.Range(0, layers).Select(_ => new Block(features, heads, dropout))]);
            ln_f = LayerNorm(features);
            RegisterComponents();
            init.normal_(wte.weight!, 0, 0.02);
            init.normal_(wpe.weight!, 0, 0.02);
        }

        public override Tensor forward(Tensor ids)
        {
            using var scope = NewDisposeScope();
            var places = arange(Number.Of(ids.shape[1]), device: ids.device);
            var x = drop.call(wte.call(ids) + wpe.call(places));
            foreach (var block in h)
            {
                x = block.call(x);
            }
            return functional.linear(ln_f.call(x), wte.weight!).MoveToOuterDisposeScope();
        }
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly LayerNorm ln_1, ln_2;
        private readonly CausalSelfAttention attn;
        private readonly Mlp mlp;

        public Block(int features, int heads, double dropout)
            : base("block")
        {
            ln_1 = LayerNorm(features);
            attn = new CausalSelfAttention(features, heads, dropout);
            ln_2 = LayerNorm(features);
            mlp = new Mlp(features, dropout);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            x = x + attn.call(ln_1.call(x));
            x = x + mlp.call(ln_2.call(x));
            return x.MoveToOuterDisposeScope();
        }
    }

    private sealed class CausalSelfAttention : Module<Tensor, Tensor>
    {
        private readonly Linear c_attn, c_proj;
        private readonly Dropout resid_dropout;
        private readonly int _heads;
        private readonly double _dropout;

        public CausalSelfAttention(int features, int heads, double dropout)
            : base("attention")
        {
            (_heads, _dropout) = (heads, dropout);
            c_attn = Linear(features, 3 * features);
            c_proj = Linear(features, features);
            resid_dropout = Dropout(dropout);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var (batch, time, features) = (x.shape[0], x.shape[1], x.shape[2]);
            var parts = c_attn.call(x).split(features, dim: 2);
            var q = parts[0].view(batch, time, _heads, features / _heads).transpose(1, 2);
            var k = parts[1].view(batch, time, _heads, features / _heads).transpose(1, 2);
            var v = parts[2].view(batch, time, _heads, features / _heads).transpose(1, 2);
            var y = functional.scaled_dot_product_attention(q, k, v, p: training ? _dropout : 0, is_casual: true);
            y = y.transpose(1, 2).contiguous().view(batch, time, features);
            return resid_dropout.call(c_proj.call(y)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Mlp : Module<Tensor, Tensor>
    {
        private readonly Linear c_fc, c_proj;
        private readonly GELU gelu;
        private readonly Dropout dropout1, dropout2;

        public Mlp(int features, double dropoutRate)
            : base("mlp")
        {
            c_fc = Linear(features, 4 * features);
            gelu = GELU();
            c_proj = Linear(4 * features, features);
            (dropout1, dropout2) = (Dropout(dropoutRate), Dropout(dropoutRate));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return dropout2.call(c_proj.call(dropout1.call(gelu.call(c_fc.call(x))))).MoveToOuterDisposeScope();
        }
    }
}
