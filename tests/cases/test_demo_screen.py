"""The demonstration's screen shows what matters at every size, and cuts no sentence."""

import io

import pytest
from rich.console import Console

from evidence.lines import Line
from sight.picture import GroupView, PartitionView
from story.screen import Screen, ScriptView, View

SENTENCES = (
    "Kafka does not answer: waiting for it.",
    "Stopped. The next start resumes stock-market-0 at offset 60.",
    "No committed offset. Starting at the earliest: stock-market-0 at offset 0: 5 offsets behind",
    "LOST: retention deleted up to 26 messages, offsets 423 to 448 of stock-market-0",
)
NOTE = (
    "Kafka was back after 7.6 s. The log ended at offset 254 before and at 259 after: log and "
    "committed offsets are on disk. What the producers could not send they kept, and sent it now."
)


def message(offset, verb="Received"):
    tick = f'{{"symbol":"AAPL","price":"{offset}.50","broker":"Broker1"}}'
    return f"{verb}: {tick} (partition 0, offset {offset})"


def rows(width, height, *lines, since=0.0, note=NOTE):
    """Return the screen's rows; consumer1 has printed these lines, one a second from 1 on."""
    printed = [Line(at, f"[Consumer1] {text}") for at, text in enumerate(lines, 1)]
    sent = [Line(at, f"[Broker1] {message(at, 'Sent')}") for at in range(50)]
    view = View(
        heading="Step 5 of 7: Kafka stopped and started",
        sentence="Kafka itself is stopped and started: messages and offsets are still there.",
        note=note,
        partition=PartitionView("stock-market", 0, 0, 90),
        groups=[GroupView("consumer1", 60, resumed=50), GroupView("consumer2", 90)],
        colours={},
        away=False,
        scripts={
            "producer1": ScriptView("producer1", "running", sent, since),
            "producer2": ScriptView("producer2", "running", sent, since),
            "consumer1": ScriptView("consumer1", "stopped with Ctrl+C", printed, since),
            "consumer2": ScriptView("consumer2", "running", [], since),
        },
    )
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    options = console.options.update_dimensions(width, height)
    lines = console.render_lines(Screen(view), options)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def part(shown, name):
    """Return the rows below a script's heading."""
    start = next(number for number, row in enumerate(shown) if row.startswith(f"── {name}:")) + 1
    end = next((n for n in range(start, len(shown)) if shown[n].startswith("── ")), len(shown))
    return shown[start:end]


def words(shown):
    return " ".join(" ".join(shown).split())


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
def test_step_log_and_all_scripts_are_seen_at_every_size(size):
    shown = rows(*size, *(message(offset) for offset in range(60)))
    assert len(shown) == size[1]
    text = words(shown)
    assert NOTE in text
    for what in ("end of log 90", "committed 60, lag 30", "committed 90, lag 0", "● resumed", "┄ lag"):
        assert what in text
    for name in ("consumer1: stopped with Ctrl+C", "consumer2", "producer1", "producer2"):
        assert f"── {name}" in text
    assert "offset 59)" in part(shown, "consumer1")[-1]
    assert "offset 49)" in words(part(shown, "producer1"))


@pytest.mark.parametrize("width", [80, 90, 100, 110, 120])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_of_a_script_is_never_cut(width, sentence):
    shown = rows(width, 24, message(1), sentence, message(2))
    assert sentence in words(part(shown, "consumer1"))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_message_keeps_its_symbol_its_price_and_its_offset(width):
    last = part(rows(width, 24, message(417)), "consumer1")[0]
    assert all(text in last for text in ("AAPL", "417.50", "offset 417)"))


def test_what_a_consumer_says_stays_in_view_with_its_first_message_while_its_step_lasts():
    resuming = "Resuming stock-market-0 at offset 3: 17 offsets behind"
    caught_up = "Caught up: 17 messages in 0.0 s"
    lines = [resuming, *map(message, range(3, 20)), caught_up, *map(message, range(20, 60))]
    assert part(rows(80, 24, *lines), "consumer1") == [
        resuming,
        "Received: AAPL 3.50 (offset 3) …",
        f"{caught_up} …",
        "Received: AAPL 59.50 (offset 59)",
    ]
    later = part(rows(80, 24, *lines, since=1000), "consumer1")
    assert later == [f"Received: AAPL {o}.50 (offset {o})" for o in range(56, 60)]


def test_a_value_that_is_no_tick_is_shown_as_far_as_there_is_room():
    line = f"Received: {'x' * 200} (partition 0, offset 7)"
    assert "(offset 7)" in part(rows(80, 24, line), "consumer1")[0]
