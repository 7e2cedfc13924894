namespace Nabla.Models;

/// <summary>Lets a language model continue a text, token by token.</summary>
public static class TextGenerator
{
    /// <summary>
    /// Continues <paramref name="prompt"/>; each token is computed when it is asked for, so that texts can be shown as they grow.
    /// The same seed, prompt and weights give the same tokens. Each step sets eval mode and no gradient and restores the mode after.
    /// </summary>
    /// <param name="model">The model; it is borrowed and must not change meanwhile.</param>
    /// <param name="prompt">Token ids to continue, at least one. Only the last <see cref="LanguageModel.ContextLimit"/> tokens are seen.</param>
    /// <param name="options">How tokens are chosen; null: all defaults.</param>
    /// <returns>The new token ids, without the prompt and without the stop token.</returns>
    /// <exception cref="ArgumentException">The prompt is empty or holds an id outside the vocabulary.</exception>
    /// <exception cref="OptionsException">The options cannot work.</exception>
    /// <exception cref="NablaException">The logits are not finite.</exception>
    public static IEnumerable<long> Generate(LanguageModel model, IReadOnlyList<long> prompt, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new();
        options.Validate();
        if (prompt.Count == 0)
        {
            throw new ArgumentException("TextGenerator.Generate: expected at least one token in the prompt, got none. Start from a begin or line-break token.", nameof(prompt));
        }
        foreach (var id in prompt)
        {
            if (id < 0 || id >= model.Input.Vocabulary)
            {
                throw new ArgumentException($"TextGenerator.Generate: expected token ids in [0, {model.Input.Vocabulary}), got {id}. Encode the prompt with the tokenizer the model was trained with.", nameof(prompt));
            }
        }
        return Continue(model, prompt, options);
    }

    private static IEnumerable<long> Continue(LanguageModel model, IReadOnlyList<long> prompt, GenerationOptions options)
    {
        using var decoder = model.StartDecoding();
        var sampler = new TokenSampler(options);
        long[] next = [.. prompt];
        for (var place = 0L; place < options.MaxTokens; place++)
        {
            var token = sampler.Choose(Logits(model, decoder, next), place);
            if (token == options.StopToken)
            {
                yield break;
            }
            yield return token;
            next = [token];
        }
    }

    /// <summary>One step. Scopes and modes end before the token is handed out, because the consumer may work on other threads.</summary>
    private static float[] Logits(LanguageModel model, TokenDecoder decoder, long[] tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var wasTraining = model.training;
        if (wasTraining)
        {
            model.eval();
        }
        try
        {
            return decoder.Append(tokens).to(ScalarType.Float32).cpu().data<float>().ToArray();
        }
        finally
        {
            if (wasTraining)
            {
                model.train();
            }
        }
    }
}
