"""The screen of demo.py, watch.py and play.py, for any figures and any size."""

import itertools
import re

import pytest
from rich.console import Console

from evidence.snapshot import LogOffsets
from picture.lanes import GroupView, Lane
from picture.screen import Panel, Screen

BEHIND = GroupView("stock-group1", 2, note="held by consumer1; nothing committed for 4 s: lag +9")
LEVEL = GroupView("stock-group2", 27)


def rows(lane, width=80):
    return [row.plain.rstrip() for row in lane.rows(width)]


def shown(screen, width=80, height=24):
    console = Console(width=width, height=height, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(screen)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_lane_shows_what_is_kept_deleted_read_and_unread():
    title, scale, log, behind, note, level = rows(Lane("t-0", LogOffsets(5, 27), [BEHIND, LEVEL]))
    assert title == f"── t-0 {'─' * 73}"
    assert scale == "offset       0         10        20"
    assert log == "log          ×××××■■■■■■■■■■■■■■■■■■■■■■                    end of log 27"  # noqa: RUF001 - deleted
    assert behind == "stock-group1 ━━▲┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄                    committed 2, lag 25"
    assert note == "             held by consumer1; nothing committed for 4 s: lag +9"
    assert level == "stock-group2 ━━━━━━━━━━━━━━━━━━━━━━━━━━━▲                   committed 27, lag 0"


def test_no_number_on_the_scale_is_cut():
    scales = [rows(Lane("t-0", LogOffsets(0, end)), width)[1] for end in (27, 97, 1234) for width in range(60, 80)]
    assert {number for scale in scales for number in scale.split()[1:] if int(number) % 10} == set()
    assert {int(number) for number in scales[-1].split()[1:]} <= set(range(0, 1240, 10))


def test_no_figure_beside_the_lane_is_cut():
    for width, end in itertools.product(range(60, 130), (9, 100, 12_345)):
        lane = Lane("t-0", LogOffsets(0, end), [GroupView("stock-group1", 2), GroupView("stock-group2", end)])
        log, *groups = shown(Screen("", [lane], []), width)[3:6]
        assert log.endswith(f" end of log {end}")
        assert groups[0].endswith(f" committed 2, lag {end - 2}")
        assert groups[1].endswith(f" committed {end}, lag 0")


def test_if_a_group_is_further_behind_than_there_are_columns_a_column_has_more_offsets():
    _, scale, log, behind = rows(Lane("t-0", LogOffsets(0, 150), [GroupView("g", 30)]))
    assert scale.endswith("■ 5 offsets")
    assert log.count("■") == 30
    assert behind.split()[1] == "━" * 6 + "▲" + "┄" * 23
    resumed = rows(Lane("t-0", LogOffsets(0, 150), [GroupView("g", 149, resumed=30)]))[3]
    assert resumed.split()[1] == "━" * 6 + "●" + "━" * 22 + "▲"
    far = rows(Lane("t-0", LogOffsets(0, 100_000), [GroupView("g", 77)]))[3]
    assert re.fullmatch("g +▲┄+ +committed 77, lag 99923", far)


def test_a_name_from_kafka_cannot_steer_the_terminal_or_the_markup():
    name = "\x1b[2J\n\u202e\x9b31m[red]x[/red]"
    lane = Lane(name, LogOffsets(0, 3), [GroupView(name, 1, note=name)])
    drawn = "".join(shown(Screen(name, [lane], [Panel(name, [(name, "")])], [(name, "")])))
    assert drawn.isprintable()
    assert drawn.count("[red]x[/red]") == 6


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_it_fills_the_terminal_and_cuts_neither_a_text_nor_the_latest_lines(width, height):
    note = "What the producers could not send they kept, and sent it now. " * 4
    lanes = [Lane(f"t-{number}", LogOffsets(5, 27), [BEHIND, LEVEL]) for number in range(50)]
    messages = [(f"Received: {'long ' * 30}(offset {offset})", "") for offset in range(100)]
    panels = [Panel(f"consumer{number}", [*messages, ("Stopped.", "")], share=4) for number in (1, 2)]
    producers = Panel("producers", [*messages[:1], ("Sent: MSFT 1653.44 (offset 1234)", "")])
    drawn = shown(Screen("Step 5", lanes, [*panels, producers], [(note, "")]), width, height)
    assert len(drawn) == height
    assert all(len(line) <= width for line in drawn)
    assert note.strip() in " ".join(" ".join(drawn[1:6]).split())
    assert "── t-0 ─" in [line[:8] for line in drawn[3:7]]  # right below the texts: many lanes leave no room
    last = next(number for number, line in enumerate(drawn) if line.startswith("── producers ─"))
    assert drawn[last - 2].endswith("(offset 99)")
    assert drawn[last - 1] == "Stopped."
    assert drawn[-1] == "Sent: MSFT 1653.44 (offset 1234)"


def test_in_a_low_window_the_first_lane_stays_whole_and_the_end_of_the_texts():
    lane, panels = Lane("t-0", LogOffsets(0, 27), [LEVEL, GroupView("g", 2)]), [Panel("p", [("line", "")])] * 3
    drawn = shown(Screen("Step 5", [lane], panels, [("a long text " * 30, ""), ("The end.", "")]), 60, 15)
    assert [line[:6] for line in drawn[3:9]] == ["The en", "── t-0", "offset", "log   ", "stock-", "g     "]
    assert drawn[-1] == "line"
