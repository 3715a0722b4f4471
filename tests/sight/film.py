"""A film of a terminal's screen: frames that rich draws, as one animated SVG. No Kafka.

An image in a web page may run no script and load nothing, but its own CSS may move it. All frames
lie side by side on a strip, and one animation moves the strip a frame further each time. A row that
comes back is a reference to the first one.

Letters are text. Lines, squares and arrows are drawn as shapes, since fonts disagree on them.
"""

import re
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

COLUMN, ROW, MARGIN = 8, 18, 12  # pixels
EVERY = 0.5  # seconds from one frame to the next, at least
FONT_SIZE = 13.3  # most monospaced fonts are 0.6 of that wide: a column
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
BACKGROUND, TEXT = "#0d1117", "#e6edf3"
COLOURS = ["#484f58", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", TEXT]  # a terminal's eight

# Signs that are filled shapes: SVG paths within the cell, from its upper left corner.
SHAPES = {"▲": "m4 3 4 11h-8z", "◀": "m8 4v10l-8-5z", "●": "m0 9a4 4 0 1 1 8 0a4 4 0 1 1-8 0z"}
# Signs that are strokes through the cell, from left to right: how they look, as CSS.
STROKES = {
    "─": "stroke-width:1",
    "━": "stroke-width:2",
    "┄": "stroke-width:2;stroke-dasharray:3 1",
    "■": "stroke-width:8;stroke-dasharray:7 1",
}
SIGNS = "".join([*SHAPES, *STROKES])


class Frame(NamedTuple):
    """What a screen shows from a time on, in seconds of any clock: for each row its `pieces`."""

    at: float
    rows: tuple


class Film:
    """What a screen showed, a frame whenever it had changed, but not more often than EVERY.

    Args:
        width, height: of the screen, in columns and rows.
    """

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.frames, self.still = [], 0
        self._rows, self._inks = {}, {}  # each row and each colour that has been drawn, and its name
        self._console = Console(width=width, height=height, force_terminal=True, color_system="truecolor")

    def take(self, renderable, at: float, still: bool = False) -> None:
        """Keep what the screen shows at this time; `still`: for readers who ask for less motion, until another one."""
        if self.frames and at < self.frames[-1].at + EVERY:
            return
        options = self._console.options.update_dimensions(self.width, self.height)
        rows = tuple(pieces(line) for line in self._console.render_lines(renderable, options)[: self.height])
        if not self.frames or rows != self.frames[-1].rows:
            self.frames.append(Frame(at, rows))
        if still:
            self.still = len(self.frames) - 1

    def svg(self, title: str, description: str) -> str:
        """Return the film as an SVG that begins anew after the last frame; the texts are for those who can't see it."""
        width, height = self.width * COLUMN + 2 * MARGIN, self.height * ROW + 2 * MARGIN
        strip = "".join(
            f'<g transform="translate({number * width})">{self._frame(frame)}</g>\n'
            for number, frame in enumerate(self.frames)
        )
        rows = "".join(f'<g id="{name}">{self._row(row)}</g>\n' for row, name in self._rows.items())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(title)}>\n'
            f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
            f"<style>{self._css(width)}</style>\n<defs>\n{rows}</defs>\n"
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
            f'<svg x="{MARGIN}" y="{MARGIN}" width="{width - 2 * MARGIN}" height="{height - 2 * MARGIN}">\n'
            f'<g class="film" transform="translate({-self.still * width})">\n{strip}</g>\n</svg>\n</svg>\n'
        )

    def _frame(self, frame) -> str:
        names = [self._rows.setdefault(row, f"r{len(self._rows)}") for row in frame.rows]
        return "".join(f'<use href="#{name}" y="{number * ROW}"/>' for number, name in enumerate(names))

    def _row(self, row) -> str:
        """Return a row drawn: the signs of a colour and kind as one path, the words as texts."""
        paths, words = {}, []
        for column, text, style in row:
            ink = self._inks.setdefault(css_of(style), f"c{len(self._inks)}")
            for same in re.finditer(rf"([{SIGNS}])\1*|[^{SIGNS} ]+(?: [^{SIGNS} ]+)*", text):
                x, length = (column + cell_len(text[: same.start()])) * COLUMN, cell_len(same[0]) * COLUMN
                if same[1]:
                    kind, path = sign(same[1], x, length)
                    paths[ink + kind] = paths.get(ink + kind, "") + path
                else:
                    words.append(f'<text class="{ink}" x="{x}" y="13" textLength="{length}">{escape(same[0])}</text>')
        return "".join([*(f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items()), *words])

    def _css(self, width) -> str:
        start = self.frames[0].at
        seconds = self.frames[-1].at + EVERY - start
        moves = "".join(
            f"{100 * (frame.at - start) / seconds:.2f}%{{transform:translateX({-number * width}px)}}"
            for number, frame in enumerate(self.frames)
        )
        strokes = "".join(
            f".s{number}{{fill:none;stroke:currentColor;{rules}}}" for number, rules in enumerate(STROKES.values())
        )
        inks = "".join(f".{name}{{{rules}}}" for rules, name in self._inks.items())
        return (
            f"text{{font:{FONT_SIZE}px {FONTS}}}{inks}\n"
            f"text,path{{fill:currentColor}}{strokes}\n"
            f".film{{animation:film {seconds:.2f}s step-end infinite}}\n"
            f"@keyframes film{{{moves}}}\n"
            "@media (prefers-reduced-motion:reduce){.film{animation:none}}"
        )


def pieces(line) -> tuple:
    """Return a rendered line's text as (column, text, Style), neighbours of one style together."""
    found, column = [], 0
    for segment in Segment.simplify(line):
        if segment.text.strip():
            found.append((column, segment.text.rstrip(), segment.style or Style.null()))
        column += cell_len(segment.text)
    return tuple(found)


def sign(text, x, length) -> tuple[str, str]:
    """Return a sign, repeated over this length, as the class that CSS needs for it and its path."""
    if text in STROKES:
        return f" s{list(STROKES).index(text)}", f"M{x} 9h{length}"
    return "", "".join(f"M{cell} 0{SHAPES[text]}" for cell in range(x, x + length, COLUMN))


def css_of(style) -> str:
    """Return a rich Style as CSS rules."""
    colour = TEXT if style.color is None or style.color.is_default else COLOURS[style.color.number % 8]
    return f"color:{colour}{';opacity:0.65' if style.dim else ''}{';font-weight:700' if style.bold else ''}"
