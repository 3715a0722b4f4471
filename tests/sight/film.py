"""A film of a terminal's screen: frames that rich draws, as one animated SVG. No Kafka.

An image in a web page may run no script and load nothing, but its own CSS may move it. All frames
lie side by side on a strip, and one animation moves the strip a frame further each time. What
frames have in common is stored once: a row that never changes lies behind the strip, a row that
comes back is a reference to the first one.

Letters are text. Lines, squares and arrows are drawn as shapes, since fonts disagree on them.
"""

import io
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme

COLUMN, ROW, MARGIN = 8, 18, 12  # pixels
FONT_SIZE = 13.3  # most monospaced fonts are 0.6 of that wide: a column
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
BACKGROUND, TEXT = (13, 17, 23), (230, 237, 243)
COLOURS = [
    (72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65),
    (121, 192, 255), (210, 168, 255), (86, 212, 221), (230, 237, 243),
]  # fmt: skip
THEME = TerminalTheme(BACKGROUND, TEXT, COLOURS)
DIM = 0.65  # of the text's colour, the rest is the background's

# Signs that are filled shapes: SVG paths within the cell, from its upper left corner.
SHAPES = {
    "▲": "m4 3 4 11h-8z",
    "△": "m4 3 4 11h-8zm0 3-2.6 7h5.2z",
    "▼": "m0 4h8l-4 11z",
    "▽": "m0 4h8l-4 11zm1.4 1 2.6 7 2.6-7z",
    "◀": "m8 4v10l-8-5z",
    "▶": "m0 4v10l8-5z",
    "●": "m0 9a4 4 0 1 1 8 0a4 4 0 1 1-8 0z",
}
# Signs that are strokes through the cell, from left to right: how they look, as CSS.
STROKES = {
    "─": "stroke-width:1",
    "━": "stroke-width:2",
    "┄": "stroke-width:2;stroke-dasharray:3 1",
    "■": "stroke-width:8;stroke-dasharray:7 1",
    "█": "stroke-width:18",
}
# The corners and sides of boxes, as SVG paths of lines from the middle of the cell.
BOXES = {
    **dict.fromkeys("╭┌", "m8 9h-4v9"), **dict.fromkeys("╮┐", "m0 9h4v9"),
    **dict.fromkeys("╰└", "m8 9h-4v-9"), **dict.fromkeys("╯┘", "m0 9h4v-9"),
    "│": "m4 0v18", "├": "m4 0v18m0-9h4", "┤": "m4 0v18m0-9h-4",
    "┬": "m0 9h8m-4 0v9", "┴": "m0 9h8m-4 0v-9", "┼": "m0 9h8m-4-9v18",
}  # fmt: skip
SIGNS = re.escape("".join([*SHAPES, *STROKES, *BOXES]))


@dataclass(frozen=True)
class Frame:
    """A screen at a time.

    Attributes:
        at: seconds, of any clock.
        rows: for each row its runs: (column, text, Style), without those that show nothing.
    """

    at: float
    rows: tuple


class Film:
    """What a screen showed, a frame whenever it had changed.

    Args:
        width, height: of the screen, in columns and rows.
    """

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.frames, self.still = [], 0
        self._console = Console(
            width=width,
            height=height,
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
            legacy_windows=False,
        )

    def take(self, renderable, at: float) -> None:
        """Keep what the screen shows at this time; a screen that has not changed is no frame."""
        options = self._console.options.update_dimensions(self.width, self.height)
        lines = self._console.render_lines(renderable, options)
        rows = tuple(runs(line) for line in lines[: self.height])
        if not self.frames or rows != self.frames[-1].rows:
            self.frames.append(Frame(at, rows))

    def mark_still(self) -> None:
        """Make the frame taken last the one for readers who ask for less motion."""
        self.still = len(self.frames) - 1

    def svg(self, title: str, description: str, end: float, seconds: float) -> str:
        """Return the film as an SVG that begins anew after the last frame.

        Args:
            title, description: for those who cannot see it.
            end: when the last frame is over.
            seconds: how long the film plays; frames keep their share of it.
        """
        return _Drawing(self).svg(title, description, end, seconds)


def runs(line) -> tuple:
    """Return a rendered line's text as (column, text, Style), neighbours of one style together."""
    found, column = [], 0
    for segment in Segment.simplify(line):
        style = segment.style or Style.null()
        for piece in re.finditer(r"\S+(?: \S+)*", segment.text):
            before = cell_len(segment.text[: piece.start()])
            found.append((column + before, piece[0], style))
        column += cell_len(segment.text)
    return tuple(found)


class _Drawing:
    """A film as SVG: its rows, its colours and its frames, each written once."""

    def __init__(self, film):
        self.film = film
        self.size = (film.width * COLUMN + 2 * MARGIN, film.height * ROW + 2 * MARGIN)
        self.rows, self.inks = {}, {}  # what has been seen, and its name

    def svg(self, title, description, end, seconds) -> str:
        width, height = self.size
        fixed = [self.same_in_all(number) for number in range(self.film.height)]
        behind = "".join(self.use(row, number) for number, row in enumerate(fixed) if row)
        strip = "".join(
            f'<g transform="translate({number * width})">{self.frame(frame, fixed)}</g>\n'
            for number, frame in enumerate(self.film.frames)
        )
        rows = "".join(
            f'<g id="{name}">{drawing}</g>\n'
            for name, drawing in ((name, self.draw(row)) for row, name in self.rows.items())
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(title)}>\n'
            f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
            f"<style>{self.css(end, seconds)}</style>\n<defs>\n{rows}</defs>\n"
            f'<rect width="100%" height="100%" rx="8" fill="{colour(BACKGROUND)}"/>\n'
            f'<svg x="{MARGIN}" y="{MARGIN}" width="{width - 2 * MARGIN}"'
            f' height="{height - 2 * MARGIN}">\n{behind}\n'
            f'<g class="film" transform="translate({-self.film.still * width})">\n'
            f"{strip}</g>\n</svg>\n</svg>\n"
        )

    def same_in_all(self, number):
        """Return a row that all frames share, else None."""
        rows = {frame.rows[number] for frame in self.film.frames}
        return rows.pop() if len(rows) == 1 else None

    def frame(self, frame, fixed) -> str:
        return "".join(self.use(row, number) for number, row in enumerate(frame.rows) if row and not fixed[number])

    def use(self, row, number) -> str:
        name = self.rows.setdefault(row, f"r{len(self.rows)}")
        return f'<use href="#{name}" y="{number * ROW}"/>' if number else f'<use href="#{name}"/>'

    def draw(self, row) -> str:
        """Return a row: the signs of a colour and kind as one path, the words as texts."""
        paths, words = {}, []
        for column, text, style in row:
            ink = self.ink(style)
            for same in re.finditer(rf"([{SIGNS}])\1*|[^{SIGNS}]+", text):
                at = column + cell_len(text[: same.start()])
                if same[1]:
                    kind, path = sign(same[1], at * COLUMN, len(same[0]))
                    paths[ink + kind] = paths.get(ink + kind, "") + path
                elif same[0].strip():
                    words.append(word(same[0], at, ink))
        drawn = [f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items()]
        return "".join(drawn + words)

    def ink(self, style) -> str:
        """Return the name of a style's colour and weight."""
        return self.inks.setdefault(css_of(style), f"c{len(self.inks)}")

    def css(self, end, seconds) -> str:
        start = self.film.frames[0].at
        whole = end - start
        steps = "".join(
            f"{100 * (frame.at - start) / whole:.2f}%{{transform:translateX({-number * self.size[0]}px)}}"
            for number, frame in enumerate(self.film.frames)
        )
        strokes = "".join(
            f".s{number}{{fill:none;stroke:currentColor;{rules}}}" for number, rules in enumerate(STROKES.values())
        )
        inks = "".join(f".{name}{{{rules}}}" for rules, name in self.inks.items())
        return (
            f"text{{font:{FONT_SIZE}px {FONTS};white-space:pre}}{inks}\n"
            f"text,path{{fill:currentColor}}path{{fill-rule:evenodd}}{strokes}\n"
            f".film{{animation:film {seconds:.2f}s step-end infinite}}\n"
            f"@keyframes film{{{steps}}}\n"
            "@media (prefers-reduced-motion:reduce){.film{animation:none}}"
        )


def word(text, column, ink) -> str:
    x, length = column * COLUMN, cell_len(text) * COLUMN
    return f'<text class="{ink}" x="{x}" y="13" textLength="{length}">{escape(text)}</text>'


def sign(text, x, count) -> tuple[str, str]:
    """Return a sign, so often from x on, as the class that CSS needs for it and its path."""
    if text in STROKES:
        name = f" s{list(STROKES).index(text)}"
        return name, f"M{x} 9h{count * COLUMN}"
    shape = SHAPES.get(text) or BOXES[text]
    cells = range(x, x + count * COLUMN, COLUMN)
    return "" if text in SHAPES else " s0", "".join(f"M{cell} 0{shape}" for cell in cells)


def css_of(style) -> str:
    """Return a rich Style as CSS rules."""
    triplet = style.color.get_truecolor(THEME) if style.color and not style.color.is_default else TEXT
    if style.dim:
        triplet = [t * DIM + b * (1 - DIM) for t, b in zip(triplet, BACKGROUND, strict=True)]
    return f"color:{colour(triplet)}" + (";font-weight:700" if style.bold else "")


def colour(triplet) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in triplet)
