"""A film of a terminal's screen, as one animated SVG. rich draws its frames. No Kafka.

An image in a web page may run no script and load nothing, but its own CSS may move it. All frames lie side by side on a
strip, and one animation moves the strip a frame further each time. A row that comes back is a reference to the first.
"""

import re
from xml.sax.saxutils import escape, quoteattr

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME as THEME

COLUMN, ROW, MARGIN = 8, 18, 12  # pixels
EVERY = 0.5  # seconds from one frame to the next, at least
FONT_SIZE = 13.3  # most monospaced fonts are 0.6 of that wide: a column
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"

# Fonts disagree on these signs. So they are SVG paths, which start at the upper left corner of their cell.
SIGNS = {
    "─": "m0 8.5h8v1h-8z",
    "━": "m0 8h8v2h-8z",
    "┄": "m1 8h6v2h-6z",
    "■": "m0 5h7v8h-7z",
    "▲": "m4 3 4 11h-8z",
    "●": "m0 9a4 4 0 1 1 8 0a4 4 0 1 1-8 0z",
}
SIGN, WORD = f"[{''.join(SIGNS)}]", f"[^ {''.join(SIGNS)}]+"
PART = re.compile(rf"({SIGN})\1*|{WORD}(?: {WORD})*")  # one sign, repeated, or words with a space between them


class Film:
    """What a screen of this size showed: a frame for each change, but not more often than EVERY."""

    def __init__(self, width: int, height: int):
        self._frames = []  # each is (when it begins, its rows as SVG)
        self._console = Console(width=width, height=height, force_terminal=True, color_system="truecolor")

    def take(self, renderable, at: float) -> None:
        """Keep what the screen shows from now on, as rich draws it; `at` is now, in seconds of any clock."""
        if self._frames and at < self._frames[-1][0] + EVERY:
            return
        rows = [drawn(line) for line in self._console.render_lines(renderable)]
        if not self._frames or rows != self._frames[-1][1]:
            self._frames.append((at, rows))

    def svg(self, title: str) -> str:
        """Return the film as an SVG that repeats. Viewers who prefer reduced motion see its last frame."""
        width, height = self._console.width * COLUMN + 2 * MARGIN, self._console.height * ROW + 2 * MARGIN
        start, seconds = self._frames[0][0], self._frames[-1][0] - self._frames[0][0] + EVERY
        names, strip, moves = {}, "", ""
        for number, (at, rows) in enumerate(self._frames):
            shown = "".join(
                f'<use href="#{names.setdefault(row, f"r{len(names)}")}" y="{place * ROW}"/>'
                for place, row in enumerate(rows)
            )
            strip += f'<g transform="translate({number * width})">{shown}</g>\n'
            moves += f"{100 * (at - start) / seconds:.2f}%{{transform:translateX({-number * width}px)}}"
        stored = "".join(f'<g id="{name}">{row}</g>\n' for row, name in names.items())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(title)}>\n'
            f"<title>{escape(title)}</title>\n"
            f"<style>text{{font:{FONT_SIZE}px {FONTS}}} text,path{{fill:currentColor}}\n"
            f".film{{color:{THEME.foreground_color.hex};animation:film {seconds:.2f}s step-end infinite}}\n"
            f"@keyframes film{{{moves}}}\n"
            f"@media (prefers-reduced-motion:reduce){{.film{{animation:none}}}}</style>\n<defs>\n{stored}</defs>\n"
            f'<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>\n'
            f'<svg x="{MARGIN}" y="{MARGIN}" width="{width - 2 * MARGIN}" height="{height - 2 * MARGIN}">\n'
            f'<g class="film" transform="translate({-number * width})">\n{strip}</g>\n</svg>\n</svg>\n'
        )


def drawn(line) -> str:
    """Return a row that rich has rendered, as SVG: words are texts as wide as their columns, signs are shapes."""
    words, paths, column = [], {}, 0
    for segment in Segment.simplify(line):
        look = (segment.style or Style.null()).get_html_style(THEME)
        for part in PART.finditer(segment.text):
            x = (column + cell_len(segment.text[: part.start()])) * COLUMN
            width = cell_len(part[0]) * COLUMN
            if part[1]:
                signs = "".join(f"M{cell} 0{SIGNS[part[1]]}" for cell in range(x, x + width, COLUMN))
                paths[look] = paths.get(look, "") + signs
            else:
                words.append(f'<text style="{look}" x="{x}" y="13" textLength="{width}">{escape(part[0])}</text>')
        column += cell_len(segment.text)
    return "".join([*words, *(f'<path style="{look}" d="{path}"/>' for look, path in paths.items())])
