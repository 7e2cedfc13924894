namespace Nabla.Benchmarks;

/// <summary>Multiply-adds of forward passes, in closed form. Norms, activations, look-ups and additions are not counted.</summary>
internal static class StepCost
{
    /// <summary>A linear layer on <paramref name="rows"/> rows.</summary>
    public static double Linear(double rows, double inputs, double outputs) => rows * inputs * outputs;

    /// <summary>A square convolution with <paramref name="places"/> output places over all pictures.</summary>
    public static double Convolution(double places, double inputs, double outputs, double kernel) => places * inputs * outputs * kernel * kernel;

    /// <summary>Scores and mixture of values; a causal mask saves none of them in this count.</summary>
    public static double Attention(double batch, double queries, double keys, double features) => 2 * batch * queries * keys * features;

    /// <summary>A transformer block of self-attention and feed-forward.</summary>
    public static double TransformerBlock(double batch, double time, double features, double hidden)
        => Linear(batch * time, features, 4 * features) + Attention(batch, time, time, features) + (2 * Linear(batch * time, features, hidden));

    /// <summary>A layer of LSTM cells: four gates from inputs and state.</summary>
    public static double Lstm(double batch, double time, double inputs, double hidden) => Linear(batch * time, inputs + hidden, 4 * hidden);
}
