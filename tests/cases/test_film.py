"""A film of a terminal's screen is one animated SVG."""

import re
from xml.etree import ElementTree

from rich.text import Text

from picture.film import Film

SVG = "{http://www.w3.org/2000/svg}"


def test_each_frame_shows_its_screen_at_its_time_and_an_unchanged_screen_is_no_frame():
    film = Film(20, 2)
    for number, screen in enumerate(("head\none", "head\ntwo", "head\ntwo", "head\none")):
        film.take(Text(screen), number * 2.5)
    drawing = film.svg('a title with <signs> & "quotes"')
    root = ElementTree.fromstring(drawing)
    rows = {f"#{row.get('id')}": "".join(row.itertext()) for row in root.find(f"{SVG}defs")}
    strip = root.find(f"{SVG}svg/{SVG}g")
    frames = ["\n".join(rows[use.get("href")] for use in frame) for frame in strip]
    assert frames == ["head\none", "head\ntwo", "head\none"]
    assert len(rows) == 3  # each row is stored once
    moves = re.findall(r"([\d.]+)%\{transform:translateX\((-?\d+)px\)\}", drawing)
    assert moves == [("0.00", "0"), ("31.25", "-184"), ("93.75", "-368")]
    assert strip.get("transform") == "translate(-368)"  # for viewers who prefer reduced motion
    assert root.find(f"{SVG}title").text == root.get("aria-label") == 'a title with <signs> & "quotes"'


def test_words_keep_their_columns_and_colours_and_no_font_draws_the_signs():
    film = Film(20, 1)
    film.take(Text.from_markup("ab  [bold red]cd<&>[/] [green]━━━▲┄■●─e[/]"), at=0)
    drawing = film.svg("")
    words = re.findall(r'<text style="(.*?)" x="(\d+)" y="13" textLength="(\d+)">(.*?)</text>', drawing)
    assert words == [
        ("", "0", "16", "ab"),
        ("color: #cc555a; text-decoration-color: #cc555a; font-weight: bold", "32", "40", "cd&lt;&amp;&gt;"),
        ("color: #98a84b; text-decoration-color: #98a84b", "144", "8", "e"),
    ]
    (path,) = re.findall(r'<path style="color: #98a84b; .*?" d="(.*?)"/>', drawing)
    assert re.findall(r"M(\d+) 0", path) == ["80", "88", "96", "104", "112", "120", "128", "136"]
