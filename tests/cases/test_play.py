"""play.py, driven through a terminal, key by key."""

import random
import signal
import sys

import pytest

from machine.processes import commands_with
from machine.waiting import wait_until
from real_kafka.files import ROOT
from running.programs import Program
from running.terminal import Terminal

PLAY = [sys.executable, str(ROOT / "tests" / "play.py")]


@pytest.fixture
def terminal(tmp_path):
    """A terminal with play.py, of which nothing may be left after the test."""
    with Terminal(PLAY, TMPDIR=str(tmp_path)) as terminal:
        yield terminal
    assert b"Traceback" not in terminal.written
    assert not list(tmp_path.iterdir())
    wait_until("all processes to end", lambda: commands_with(str(tmp_path)), [], limit=10)


def press(terminal, keys, *shown):
    """Press keys, and wait for each of these on the screen; return the last match."""
    terminal.type(keys)
    return [terminal.shows(pattern) for pattern in shown][-1]


def test_each_key_does_what_it_says_and_shows_its_command(terminal):
    terminal.shows(r"^consumer1 ━+▲")
    at = press(
        terminal, "c", r"^\$ kill -INT \d+", r"1 consumer1: stopped with Ctrl\+C", r"committed (\d+), lag [1-9]"
    )[1]
    press(terminal, "s", "At which offset of partition 0 will consumer1 resume")
    answered = rf"You said {at}\. consumer1 resumed at offset {at}: its group's committed offset, "
    press(terminal, f"9\x7f{at}\r", r"^\$ python consumer1\.py", answered)
    press(terminal, "k", r"^\$ kill -9 \d+", r"1 consumer1: killed with kill -9; its session lasts \d s more at most")
    press(terminal, "s\r", r"^consumer1 resumed at offset \d+")
    press(terminal, "z", r"^\$ kill -STOP \d+", "1 consumer1: suspended")
    press(terminal, "f", r"^\$ kill -CONT \d+", "1 consumer1: running")
    offset = press(terminal, "x", r"^Killed after it had printed offset (\d+) of partition 0")[1]
    assert int(terminal.shows(r"^consumer1 .*committed (\d+),")[1]) <= int(offset)
    press(terminal, "s\r", r"^consumer1 resumed at offset \d+: its[^.]+\.\s+It\s+had\s+printed\s+that")
    press(terminal, "\x1b[3~w", "^w does nothing now")  # the Delete key is not 3, which is producer1
    press(terminal, "cr", r"^\$ kadm groups reset-offsets -g stock-group1 .*", r"^consumer1 ▲")
    press(terminal, "p", "^Questions are off")
    press(terminal, "s", "^consumer1 resumed at offset 0: its")
    press(terminal, "2k", "2 consumer2: killed", r"^consumer2 .*lag [1-9]")
    assert b"\xe2\x95\xad" not in terminal.written  # the corner of a frame, which rich draws where nothing is
    press(terminal, "6d", r"^\$ kadm partitions delete-records -r stock-market:0:-1", "^log +×+")  # noqa: RUF001
    press(terminal, "2s", r"^consumer2 resumed at offset \d+: the oldest message that is left\.")
    press(terminal, "6a", r"^\$ kadm partitions create -p stock-market:2", "^── stock-market-1 ─")
    press(terminal, "5c", r"^\$ kill -TERM \d+ ", "Kafka is stopped with Ctrl.C: its log as last seen")
    press(terminal, "s", r"^\$ python tests/broker\.py", r"127\.0\.0\.1:\d+$")
    press(terminal, "k", "Kafka is killed with kill -9")
    press(terminal, "s", r"127\.0\.0\.1:\d+$")
    press(terminal, "3c", "3 producer1: stopped")
    press(terminal, "s", "3 producer1: running")
    terminal.type("q")
    terminal.shows("^Verdict: no message went missing")
    assert terminal.ends() == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_keys_in_a_hurry_do_no_harm(terminal, seed):
    terminal.shows(r"^consumer1 ━+▲")
    keys = random.Random(seed).choices("12345ckzxsfrda0\r", k=20)
    terminal.type("".join(keys))
    terminal.type("q")
    terminal.shows("^Verdict: no message went missing")
    assert terminal.ends() == 0


MOMENTS = {
    "Kafka starts": ("", "Starting Kafka"),
    "the scripts start": ("", "^consumer1 +nothing committed"),
    "all run": ("", r"^consumer1 ━+▲"),
    "it asks": ("cs", "At which offset"),
    "a consumer is suspended": ("z", "1 consumer1: suspended"),
    "all scripts are killed": ("k2k3k4k", "4 producer2: killed"),
    "an admin command runs": ("6d", "kadm"),
    "Kafka stops": ("5c", "Kafka is stopp"),
    "Kafka is away": ("5k", "Kafka is killed"),
    "Kafka starts again": ("5ks", "Kafka is starting"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_ends_all_with_an_account(terminal, moment):
    keys, shown = MOMENTS[moment]
    if keys:
        terminal.shows(r"^consumer1 ━+▲")
    press(terminal, keys, shown)
    terminal.type("\x03")
    if moment == "Kafka starts":
        assert terminal.ends() == 128 + signal.SIGINT
    else:
        terminal.shows("^Verdict: no message went missing")
        assert terminal.ends() == 0


def test_where_no_picture_can_be_shown_one_line_names_the_demonstration():
    program = Program("play.py", PLAY)
    assert program.wait() == 1
    assert program.text() == "play.py: This needs a terminal that can show a picture. tests/demo.py also runs without."
