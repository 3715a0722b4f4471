"""The lanes and the screen that demo.py and watch.py draw, for any figures and any width."""

import pytest
from rich.console import Console

from sight.picture import GroupView, Happenings, Lane, PartitionView, Screen, table

LOG = PartitionView("t", 0, 5, 27)
BEHIND = GroupView("stock-group1", 2, "grows", "consumer1", "Stable")
LEVEL = GroupView("stock-group2", 27, "", None, "Empty")


def lines(drawn, width=80, height=24):
    console = Console(width=width, height=height, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().splitlines()


def test_a_lane_shows_what_is_kept_deleted_read_and_unread():
    scale, log, behind, level = (line.rstrip() for line in lines(Lane(LOG, [BEHIND, LEVEL])))
    assert scale == "offset       0         10        20        30        40"
    assert log == "log          ×××××■■■■■■■■■■■■■■■■■■■■■■                 end of log 27"  # noqa: RUF001 - deleted
    assert behind == "stock-group1 ━━▲××┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄                 committed 2, lag 25 ↑"  # noqa: RUF001
    assert level == "stock-group2 ━━━━━━━━━━━━━━━━━━━━━━━━━━━▲                committed 27, lag 0"


@pytest.mark.parametrize("width", range(60, 201, 7))
@pytest.mark.parametrize("end", [0, 1, 27, 160, 10_007, 1_234_567_890])
def test_a_lane_fits_and_shows_the_end_at_every_width(width, end):
    groups = [GroupView("g" * 90, max(0, end - 3)), GroupView("", 0, "stands"), GroupView("h", None)]
    drawn = lines(Lane(PartitionView("t", 0, end // 3, end), groups), width)
    assert len(drawn) == 5
    assert all(len(line) <= width for line in drawn)
    assert str(end) in drawn[1]
    assert f"{max(0, end - 3)}, lag {min(3, end)}" in drawn[2]


def test_a_group_further_behind_than_there_are_columns_makes_a_column_stand_for_more_offsets():
    scale, log, behind = lines(Lane(PartitionView("t", 0, 0, 150), [GroupView("g", 30)]))
    assert scale.rstrip().endswith("■ 5 offsets")
    assert log.count("■") == 30
    assert behind.split()[1] == "━" * 6 + "▲" + "┄" * 23


def test_a_group_that_no_scale_can_show_is_marked_at_the_edge_with_its_number():
    lane = lines(Lane(PartitionView("t", 0, 0, 100_000), [GroupView("g", 77), GroupView("h", 99_990)]))
    assert "◀┄┄" in lane[2]
    assert "committed 77, lag 99923" in lane[2]
    assert lane[3].count("┄") == 9  # one offset a column, as if the other were not there


def test_a_committed_offset_past_the_end_is_said_to_be_that():
    assert "committed 57: past the end" in lines(Lane(PartitionView("t", 0, 0, 3), [GroupView("g", 57)]))[2]


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "[red]x[/red]", "\u202eabc", "\x9b31m"])
def test_a_name_from_kafka_steers_neither_terminal_nor_markup(name):
    group = GroupView(name, 1, "grows", name, "Stable")
    lane = Lane(PartitionView(name, 0, 0, 3), [group])
    drawn = "\n".join([*lines(Screen(name, "", [lane], [("12:00:00", name, "")])), *table([lane])])
    assert all(character.isprintable() or character == "\n" for character in drawn)
    if name.isprintable():
        assert drawn.count(name) == 8


@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("partitions", [0, 1, 2, 3, 50])
def test_the_screen_fills_the_terminal_and_no_more(width, height, partitions):
    lanes = [Lane(PartitionView("t", number, 5, 27), [BEHIND, LEVEL]) for number in range(partitions)]
    news = [("12:00:00", f"News {number}: {'long ' * 20}", "") for number in range(30)]
    drawn = lines(Screen("topic t", "", lanes, news), width, height)
    assert len(drawn) == height
    assert all(len(line) <= width for line in drawn)
    assert any("News 29" in line for line in drawn)
    if partitions == 50:
        assert any("more partitions, which move less: their lags come to" in line for line in drawn)
        assert any(line.startswith("│ t-0") for line in drawn)
    if partitions == 1:
        assert any("held by consumer1; the lag grows" in line for line in drawn)
        assert any("no member: its messages wait" in line for line in drawn)


def test_the_latest_news_are_shown_and_a_long_one_goes_on_in_the_next_line():
    news = [("12:00:00", "first", ""), ("12:00:01", "one two three four five", "")]
    console = Console(width=24, color_system=None)
    options = console.options.update(width=24, height=2)
    drawn = ["".join(s.text for s in line).rstrip() for line in console.render_lines(Happenings(news), options)]
    assert drawn == ["12:00:01  one two three", "          four five"]


def test_the_table_has_a_row_for_each_group_and_partition():
    assert table([Lane(LOG, [BEHIND, LEVEL]), Lane(PartitionView("t", 1, 0, 0))]) == [
        "PARTITION  FIRST  END  GROUP         COMMITTED  LAG  MEMBER",
        "t-0        5      27   stock-group1  2          25   consumer1",
        "t-0        5      27   stock-group2  27         0    -",
        "t-1        0      0    -             -          -    -",
    ]
