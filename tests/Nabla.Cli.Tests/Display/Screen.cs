namespace Nabla.Cli.Tests;

/// <summary>A terminal of given size that understands what the display sends: text, cursor up, erase, colours, private modes.</summary>
internal sealed class Screen(int width, int height)
{
    private readonly List<char[]> _rows = [Blank(width)];
    private int _row, _column;

    /// <summary>Whether the cursor is shown.</summary>
    public bool IsCursorVisible { get; private set; } = true;

    /// <summary>All lines, scrolled-out ones included, without blanks at the end.</summary>
    public IReadOnlyList<string> Lines => [.. string.Join('\n', _rows.Select(row => new string(row).TrimEnd())).TrimEnd('\n').Split('\n')];

    public Screen Feed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\e' when text[i + 1] == '[':
                    var end = i + 2;
                    while (!char.IsAsciiLetter(text[end]))
                    {
                        end++;
                    }
                    Control(text[(i + 2)..end], text[end]);
                    i = end;
                    break;
                case '\r':
                    _column = 0;
                    break;
                case '\n':
                    (_column, _row) = (0, _row + 1);
                    Reach();
                    break;
                case < ' ':
                    throw new InvalidOperationException($"The display sent the control character {(int)text[i]}.");
                default:
                    if (_column == width)
                    {
                        (_column, _row) = (0, _row + 1);
                        Reach();
                    }
                    _rows[_row][_column++] = text[i];
                    break;
            }
        }
        return this;
    }

    private void Control(string argument, char command)
    {
        switch (command)
        {
            case 'A':
                // A terminal does not move into what has scrolled out.
                _row = Math.Max(Math.Max(0, _rows.Count - height), _row - int.Parse(argument));
                break;
            case 'K':
                Array.Fill(_rows[_row], ' ', _column, width - _column);
                break;
            case 'J':
                Array.Fill(_rows[_row], ' ', _column, width - _column);
                _rows[(_row + 1)..].ForEach(row => Array.Fill(row, ' '));
                break;
            case 'h' or 'l' when argument == "?25":
                IsCursorVisible = command == 'h';
                break;
            case 'h' or 'l' when argument == "?2026":
            case 'm':
                break;
            default:
                throw new InvalidOperationException($"The display sent the unknown sequence ESC[{argument}{command}.");
        }
    }

    private void Reach()
    {
        while (_rows.Count <= _row)
        {
            _rows.Add(Blank(width));
        }
    }

    private static char[] Blank(int width)
    {
        var row = new char[width];
        Array.Fill(row, ' ');
        return row;
    }
}
