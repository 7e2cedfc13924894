namespace Nabla;

internal sealed partial class ReportPage
{
    private const int MaxSamples = 48;
    private const int MaxSampleText = 600;

    private void WriteSamples()
    {
        if (data.Mistakes.Count > 0)
        {
            if (data.Residuals is not null)
            {
                Begin("mistakes", "Largest errors", "The predictions farthest from the truth: look here first for wrong values and rare cases.");
            }
            else
            {
                Begin("mistakes", "Surest mistakes", "Wrong predictions that the model was most confident about: look here first for wrong labels and missing data.");
            }
            WriteSampleGrid(data.Mistakes);
            End();
        }
        if (data.Samples.Count > 0)
        {
            Begin("samples", "Predictions", "A sample that was not chosen by how good the predictions are.");
            WriteSampleGrid(data.Samples);
            End();
        }
    }

    private void WriteSampleGrid(IReadOnlyList<ReportSample> samples)
    {
        var pictures = samples.Any(sample => sample.Picture is not null);
        _html.Write($"""<div class="{(pictures ? "samples pictures" : "samples texts")}">""");
        foreach (var sample in samples.Take(MaxSamples))
        {
            WriteSample(sample);
        }
        _html.Write($"</div>");
    }

    private void WriteSample(ReportSample sample)
    {
        _html.Write($"""<figure class="sample {(sample.Correct switch { true => "right", false => "wrong", _ => "" })}">""");
        if (sample.Picture is { } picture)
        {
            WritePicture(sample, picture);
        }
        if (sample.Text is { } text)
        {
            _html.Write($"""<blockquote>{(text.Length > MaxSampleText ? text[..MaxSampleText] + " ..." : text)}</blockquote>""");
        }
        if (sample.Row.Count > 0)
        {
            WriteFacts(sample.Row);
        }
        _html.Write($"""<figcaption><p class="answer"><b>{sample.Predicted}</b>""");
        if (sample.Correct is { } correct)
        {
            _html.Write($""" <span class="mark">{(correct ? "right" : "wrong")}</span>""");
        }
        _html.Write($"</p>");
        if (sample.Actual is { } actual && sample.Correct != true)
        {
            _html.Write($"""<p class="truth">truth: <b>{actual}</b></p>""");
        }
        if (sample.Probabilities.Count > 0)
        {
            _html.Write($"""<ul class="probabilities" aria-label="Probabilities">""");
            foreach (var (label, probability) in sample.Probabilities.Take(3))
            {
                _html.Write($"""<li><span>{label}</span><span>{MetricText.Value("accuracy", probability)}</span>""");
                WriteBar(probability, label == sample.Actual ? "true" : "");
                _html.Write($"</li>");
            }
            _html.Write($"</ul>");
        }
        if (sample.Source is { } source)
        {
            _html.Write($"""<p class="source">{source}</p>""");
        }
        _html.Write($"</figcaption></figure>");
    }

    private void WritePicture(ReportSample sample, byte[] picture)
    {
        if (PictureSize.Read(picture) is not { } size)
        {
            _html.Write($"""<p class="empty">Not a PNG picture.</p>""");
            return;
        }
        var description = sample.Actual is { } actual ? $"Example of {actual}, predicted as {sample.Predicted}" : $"Example predicted as {sample.Predicted}";
        _html.Write($"""<img class="{(size.Width <= 128 ? "pixels" : "")}" width="{size.Width}" height="{size.Height}" alt="{description}" src="data:image/png;base64,{Convert.ToBase64String(picture)}">""");
    }

    private void WriteLanguage()
    {
        if (data.Language is not { } language || language.Generations.Count == 0)
        {
            return;
        }
        Begin("text", "Generated text", "What the model writes; the given beginning is marked.");
        foreach (var generation in language.Generations)
        {
            _html.Write($"""<figure class="card generation"><pre tabindex="0"><mark>{generation.Prompt}</mark>{generation.Text}</pre>""");
            if (generation.Settings.Length > 0)
            {
                _html.Write($"""<figcaption class="muted">{generation.Settings}</figcaption>""");
            }
            _html.Write($"</figure>");
        }
        End();
    }
}
