"""A film of a terminal's screen is one SVG that moves by itself, and loads and runs nothing."""

import re
from xml.etree import ElementTree

import pytest
from rich.text import Text

from sight.film import Film

SVG = "{http://www.w3.org/2000/svg}"


def film(*screens, seconds=1.0):
    """Return a film in which these texts are shown, each for so long."""
    made = Film(20, 3)
    for number, screen in enumerate(screens):
        made.take(Text(screen), number * seconds)
    return made


def svg(made, end=10.0, seconds=10.0):
    return made.svg('a title with <signs> & "quotes"', "a description", end, seconds)


def frames(drawing):
    """Return each frame's rows as (y, text), with those that lie behind all frames."""
    root = ElementTree.fromstring(drawing)
    rows = {g.get("id"): "".join(g.itertext()) for g in root.find(f"{SVG}defs")}

    def shown(group):
        return {(int(use.get("y", 0)), rows[use.get("href")[1:]]) for use in group.findall(f"{SVG}use")}

    screen = root.find(f"{SVG}svg")
    return [shown(group) | shown(screen) for group in screen.find(f"{SVG}g")]


def positions(drawing):
    """Return (percent, frame) of each step of the animation."""
    width = int(re.search(r'viewBox="0 0 (\d+)', drawing)[1])
    steps = re.findall(r"([\d.]+)%\{transform:translateX\((-?\d+)px\)\}", drawing)
    return [(float(percent), -int(x) / width) for percent, x in steps]


def test_each_frame_shows_its_screen():
    drawing = svg(film("head\none", "head\ntwo", "head\none"))
    assert frames(drawing) == [{(0, "head"), (18, text)} for text in ("one", "two", "one")]


def test_each_frame_is_shown_at_its_time():
    drawing = svg(film("a", "b", "c", seconds=2.5))
    assert positions(drawing) == [(0, 0), (25, 1), (50, 2)]
    assert "animation:film 10.00s step-end infinite" in drawing


def test_a_film_can_play_faster_than_it_was_taken():
    drawing = svg(film("a", "b", seconds=5), end=10, seconds=4)
    assert positions(drawing) == [(0, 0), (50, 1)]
    assert "animation:film 4.00s" in drawing


def test_a_screen_that_has_not_changed_is_no_frame():
    assert len(film("a", "a", "b", "b").frames) == 2


def test_rows_that_come_again_are_stored_once():
    drawing = svg(film("head\none", "head\ntwo", "head\none"))
    assert [drawing.count(f">{text}<") for text in ("head", "one", "two")] == [1, 1, 1]


def test_who_asks_for_less_motion_sees_the_frame_that_was_marked():
    made = film("a", "b")
    made.mark_still()
    made.take(Text("c"), 2.0)
    drawing = svg(made)
    width = int(re.search(r'viewBox="0 0 (\d+)', drawing)[1])
    assert f'class="film" transform="translate({-width})"' in drawing
    assert "@media (prefers-reduced-motion:reduce){.film{animation:none}}" in drawing


def test_its_title_is_there_for_those_who_cannot_see_it():
    root = ElementTree.fromstring(svg(film("a")))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == root.get("aria-label") == 'a title with <signs> & "quotes"'
    assert root.find(f"{SVG}desc").text == "a description"


@pytest.mark.parametrize("sign", "─━┄■█▲△▼▽◀▶●╭╮╰╯│├┤┬┴┼")
def test_signs_are_drawn_and_not_left_to_a_font(sign):
    drawing = svg(film(f"x{sign * 3}y"))
    ElementTree.fromstring(drawing)
    assert sign not in drawing
    assert re.search(r'<path class="c0[^"]*" d="M\d', drawing)
    assert [shown for _, shown in frames(drawing)[0]] == ["xy"]


def test_words_stand_in_their_columns_in_any_font():
    drawing = svg(film("ab  cd<&>"))
    assert '<text class="c0" x="0" y="13" textLength="16">ab</text>' in drawing
    assert '<text class="c0" x="32" y="13" textLength="40">cd&lt;&amp;&gt;</text>' in drawing


def test_each_style_has_its_colour():
    made = Film(20, 1)
    made.take(Text.assemble(("a", "bold red"), ("b", "green"), ("c", "dim")), 0)
    drawing = svg(made)
    colours = dict(re.findall(r"\.(c\d)\{color:(#\w{6})", drawing))
    assert len(set(colours.values())) == 3
    assert "font-weight:700" in drawing
