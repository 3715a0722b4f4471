"""The picture that demo.py and watch.py draw, for any figures and any size."""

import pytest
from rich.console import Console

from sight.lanes import GroupView, Lane, as_table
from sight.look import LogLook
from sight.picture import Picture, Section

BEHIND = GroupView("stock-group1", 2, "grows", "consumer1", "Stable")
LEVEL = GroupView("stock-group2", 27)


def rows(lane, width=80):
    return [row.plain.rstrip() for row in lane.rows(width)]


def screen(picture, width=80, height=24):
    console = Console(width=width, height=height, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_lane_shows_what_is_kept_deleted_read_and_unread():
    title, scale, log, behind, note, level = rows(Lane("t-0", LogLook(5, 27), [BEHIND, LEVEL]))
    assert title == f"── t-0 {'─' * 73}"
    assert scale == "offset       0         10        20        30        40"
    assert log == "log          ×××××■■■■■■■■■■■■■■■■■■■■■■                  end of log 27"  # noqa: RUF001 - deleted
    assert behind == "stock-group1 ━━▲××┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄                  committed 2, lag 25 ↑"  # noqa: RUF001
    assert note == "             held by consumer1; the lag grows"
    assert level == "stock-group2 ━━━━━━━━━━━━━━━━━━━━━━━━━━━▲                 committed 27, lag 0"


@pytest.mark.parametrize("end", [0, 1, 27, 160, 10_007, 1_234_567_890])
def test_a_lane_shows_the_end_at_every_width(end):
    groups = [GroupView("g" * 90, max(0, end - 3)), GroupView("", 0), GroupView("h", None)]
    for width in range(80, 201, 13):
        drawn = rows(Lane("t-0", LogLook(end // 3, end), groups), width)
        assert all(len(row) <= width for row in drawn)
        assert drawn[2].endswith(f"end of log {end}")
        assert drawn[3].endswith(f"{max(0, end - 3)}, lag {min(3, end)}")


def test_a_group_further_behind_than_there_are_columns_makes_a_column_stand_for_more_offsets():
    _, scale, log, behind = rows(Lane("t-0", LogLook(0, 150), [GroupView("g", 30)]))
    assert scale.endswith("■ 5 offsets")
    assert log.count("■") == 30
    assert behind.split()[1] == "━" * 6 + "▲" + "┄" * 23
    too_far = rows(Lane("t-0", LogLook(0, 100_000), [GroupView("g", 77)]))[3]
    assert "◀┄┄" in too_far
    assert "committed 77, lag 99923" in too_far


def test_a_name_from_kafka_steers_neither_terminal_nor_markup():
    name = "\x1b[2J\n\u202e\x9b31m[red]x[/red]"
    lane = Lane(name, LogLook(0, 3), [GroupView(name, 1, "grows", name, "Stable")])
    drawn = "\n".join([*screen(Picture(name, [lane], [[Section(name, [(name, "")])]])), *as_table([lane])])
    assert all(character.isprintable() or character == "\n" for character in drawn)
    assert "[red]x[/red]" in drawn


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
@pytest.mark.parametrize("partitions", [0, 1, 50])
def test_the_picture_fills_the_terminal_and_no_more(width, height, partitions):
    lanes = [Lane(f"t-{number}", LogLook(5, 27), [BEHIND, LEVEL]) for number in range(partitions)]
    news = [(f"News {number}: {'long ' * 20}", "") for number in range(30)]
    drawn = screen(Picture("topic t", lanes, [[Section("what has happened", news)]]), width, height)
    assert len(drawn) == height
    assert all(len(line) <= width for line in drawn)
    assert "News 29" in "\n".join(drawn)
    assert ("more partitions: their lags come to" in "\n".join(drawn)) == (partitions == 50)


def test_the_texts_and_all_sections_are_seen_and_no_text_is_cut():
    note = f"Kafka was back after 7.6 s. {'What the producers could not send they kept, and sent it now. ' * 3}".strip()
    messages = [(f"Received: AAPL 4.50 (offset {offset})", "") for offset in range(100)]
    resuming = "Resuming stock-market-0 at offset 3: 17 behind"
    consumer1 = Section("consumer1: stopped", messages, pinned=[(resuming, "")])
    others = [Section(f"{name}: running", messages) for name in ("consumer2", "producer1", "producer2")]
    sections = [[consumer1], others[:1], others[1:]]
    drawn = screen(
        Picture("Step 5", [Lane("t-0", LogLook(5, 27), [BEHIND, LEVEL])], sections, [(note, "")], shares=[4, 4, 1])
    )
    assert note in " ".join(" ".join(drawn[1:6]).split())
    first = next(number for number, row in enumerate(drawn) if row.startswith("── consumer1: stopped ─"))
    assert drawn[first + 1] == resuming
    assert "(offset 99)" in drawn[first + 3]
    assert drawn[-2].count("── producer") == 2
    assert drawn[-1].count("(offset 99)") == 2


def test_the_latest_lines_are_shown_and_a_long_one_goes_on_in_the_next_row():
    news = [("12:00:00  first", ""), ("12:00:01  one two three four", "")]
    drawn = screen(Picture("t", [], [[Section("news", news)]]), 24, 5)
    assert drawn[2:] == ["── news ────────────────", "12:00:01  one two three", "  four"]
