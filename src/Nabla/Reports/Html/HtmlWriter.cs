using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Nabla;

/// <summary>
/// Writes markup from interpolated strings: the literal parts are markup, everything in braces is text and is escaped. What is not a
/// literal can therefore never become markup.
/// </summary>
/// <example><code>html.Write($"&lt;td&gt;{className}&lt;/td&gt;");</code></example>
internal sealed class HtmlWriter
{
    private readonly StringBuilder _text = new();

    /// <summary>Writes markup whose holes are escaped.</summary>
    /// <returns>This writer.</returns>
    public HtmlWriter Write([InterpolatedStringHandlerArgument("")] ref Markup markup)
    {
        _ = markup;   // its parts went to this writer while the string was put together
        return this;
    }

    /// <summary>Writes our own style sheet, script or drawing; never anything that a user wrote.</summary>
    public void Trusted(string markup) => _text.Append(markup);

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    /// <summary>Text with the characters escaped that mean something in HTML; control characters become the replacement character.</summary>
    public static string Escape(ReadOnlySpan<char> text)
    {
        StringBuilder escaped = new(text.Length + 16);
        Escape(escaped, text);
        return escaped.ToString();
    }

    private static void Escape(StringBuilder target, ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            _ = c switch
            {
                '&' => target.Append("&amp;"),
                '<' => target.Append("&lt;"),
                '>' => target.Append("&gt;"),
                '"' => target.Append("&quot;"),
                '\'' => target.Append("&#39;"),
                '\n' or '\t' or '\r' => target.Append(c),
                < ' ' or (>= '\u007f' and <= '\u009f') => target.Append('\ufffd'),
                _ => target.Append(c),
            };
        }
    }

    /// <summary>Collects the parts of an interpolated string for <see cref="HtmlWriter.Write"/>.</summary>
    [InterpolatedStringHandler]
#pragma warning disable CS9113, IDE0060 // the compiler hands over the sizes of the literal parts; the buffer grows by itself
    internal readonly ref struct Markup(int literalLength, int formattedCount, HtmlWriter writer)
#pragma warning restore CS9113, IDE0060
    {
        private readonly StringBuilder _target = writer._text;

        public void AppendLiteral(string markup) => _target.Append(markup);

        public void AppendFormatted(string? text) => Escape(_target, text);

        public void AppendFormatted(long number) => _target.Append(CultureInfo.InvariantCulture, $"{number}");

        public void AppendFormatted(double number) => _target.Append(SvgNumber.Text(number));
    }
}

/// <summary>Coordinates as SVG wants them: a point as decimal separator, two digits after it, nothing superfluous.</summary>
internal static class SvgNumber
{
    public static string Text(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);
}
