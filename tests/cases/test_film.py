"""A film of a terminal's screen is one SVG that moves by itself, and loads and runs nothing."""

import re
from xml.etree import ElementTree

import pytest
from rich.text import Text

from sight.film import Film

SVG = "{http://www.w3.org/2000/svg}"


def svg(*screens, still=0):
    """Return a film in which these texts are shown, each for 2.5 s."""
    film = Film(20, 3)
    for number, screen in enumerate(screens):
        film.take(Text.from_markup(screen), number * 2.5, number == still)
    return film.svg('a title with <signs> & "quotes"', "a description")


def frames(drawing):
    """Return each frame's rows as {y: text}, without empty ones."""
    root = ElementTree.fromstring(drawing)
    rows = {g.get("id"): "".join(g.itertext()) for g in root.find(f"{SVG}defs")}
    strip = root.find(f"{SVG}svg/{SVG}g")
    shown = [{int(use.get("y")): rows[use.get("href")[1:]] for use in frame} for frame in strip]
    return [{y: text for y, text in frame.items() if text} for frame in shown]


def test_each_frame_shows_its_screen_at_its_time():
    drawing = svg("head\none", "head\ntwo", "head\none")
    assert frames(drawing) == [{0: "head", 18: text} for text in ("one", "two", "one")]
    assert [drawing.count(f">{text}<") for text in ("head", "one", "two")] == [1, 1, 1]  # stored once
    assert re.findall(r"([\d.]+%)\{transform:translateX\((-?\d+)px\)\}", drawing) == [
        ("0.00%", "0"),
        ("45.45%", "-184"),
        ("90.91%", "-368"),
    ]
    assert "animation:film 5.50s step-end infinite" in drawing


def test_a_screen_that_has_not_changed_is_no_frame():
    assert [frame[0] for frame in frames(svg("a", "a", "b", "b"))] == ["a", "b"]


def test_who_asks_for_less_motion_sees_the_frame_that_was_marked():
    drawing = svg("a", "b", "c", still=1)
    assert 'class="film" transform="translate(-184)"' in drawing
    assert "@media (prefers-reduced-motion:reduce){.film{animation:none}}" in drawing


def test_its_title_is_there_for_those_who_cannot_see_it():
    root = ElementTree.fromstring(svg("a"))
    assert root.find(f"{SVG}title").text == root.get("aria-label") == 'a title with <signs> & "quotes"'
    assert root.find(f"{SVG}desc").text == "a description"


@pytest.mark.parametrize("sign", "─━┄■▲◀●")
def test_signs_are_drawn_and_not_left_to_a_font(sign):
    drawing = svg(f"x{sign * 3}y")
    assert frames(drawing) == [{0: "xy"}]
    assert re.search(r'<path class="c0[^"]*" d="M\d', drawing)


def test_words_stand_in_their_columns_in_any_font_and_in_their_colours():
    drawing = svg("ab  [bold red]cd<&>[/] [green]e[/]")
    assert '<text class="c0" x="0" y="13" textLength="16">ab</text>' in drawing
    assert '<text class="c1" x="32" y="13" textLength="40">cd&lt;&amp;&gt;</text>' in drawing
    assert len(set(re.findall(r"\.c\d\{color:(#\w{6})", drawing))) == 3
