"""watch.py and demo.py in any terminal: suspended, resized, or unable to show a picture."""

import re
import sys

import pytest

from real_kafka.files import ROOT
from running.terminal import Terminal

WATCH = [sys.executable, str(ROOT / "tests" / "watch.py")]


@pytest.fixture
def shell(topic, bootstrap_servers):
    """A terminal with a shell that has job control."""
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic}
    with Terminal(["bash", "--norc", "-i"], PS1="$ ", PYTHON=sys.executable, TESTS=WATCH[1][:-8], **kafka) as terminal:
        yield terminal


def run_and_suspend(shell, command, shown):
    """Press Ctrl+Z when this is shown. The shell then has its cursor and its screen again."""
    shell.type(f"{command}\n")
    shell.shows(shown)
    shell.type("\x1a")
    shell.shows(r"^\[1\]\+  Stopped ")
    assert re.findall(rb"\x1b\[\?(?:25|1049)[hl]", shell.written)[-2:] == [b"\x1b[?25h", b"\x1b[?1049l"]


def test_ctrl_z_gives_the_terminal_back_and_fg_draws_a_picture_that_fits_the_window(shell):
    run_and_suspend(shell, 'COLUMNS=200 LINES=60 "$PYTHON" "$TESTS/watch.py"', r"^── what has happened ─{59}$")
    shell.type("bg; sleep 1; jobs\n")  # in the background, a picture would spoil the shell's lines
    shell.shows(r"&\n+\[1\]\+  Stopped")
    shell.type("stty cols 60 rows 15; fg\n")
    shell.shows(r"^── what has happened ─{39}$")


def test_the_demonstration_is_suspended_with_all_that_it_has_started_and_its_account_stays_true(shell):
    run_and_suspend(shell, '"$PYTHON" "$TESTS/demo.py" --fast', "^Step 2 of 7")
    shell.type("clear; ps -o stat= -p $(pgrep -P $(jobs -p) | paste -sd, -)\n")
    shell.shows(r"^(T\w*\n){4,5}\$$")  # Kafka and the scripts
    shell.type("sleep 8; fg; echo status $?\n")  # longer than a session
    shell.shows(r"^The end\. space", limit=180)
    shell.type(" ")
    shell.shows(r"^Verdict: no message went missing[\s\S]*^status 0$", limit=180)


@pytest.mark.needs("bash", "tee")
def test_a_consumer_in_a_terminal_ends_as_the_pages_say(shell, kafka, topic, tmp_path):
    """Killed while suspended, of which the shell tells late; with Ctrl+C beside `tee -i`; with Ctrl+\\."""
    kafka.send(topic, b"tick")
    consumer, log = '"$PYTHON" "$TESTS/../consumer1.py"', tmp_path / "log"
    shell.type(f"{consumer}\n")
    shell.shows("Received: tick")
    shell.type("\x1a")
    shell.shows(r"^\[1\]\+  Stopped ")
    shell.type("clear; kill -9 %%\n")
    shell.shows(r"^\[1\]\+  Stopped ")
    shell.type("wait %%\n")
    shell.shows(r"^\[1\]\+  Killed ")
    shell.type(f"{consumer} | tee -i {log}\n")
    shell.shows("Resuming partition 0")
    shell.type("\x03")
    shell.shows(r"^\[Consumer1\] Stopped\.")
    assert log.read_text().endswith("[Consumer1] Stopped.\n")
    shell.type(f"clear; {consumer}\n")
    shell.shows("Resuming partition 0")
    shell.type("\x1c")
    shell.shows("Quit")


@pytest.mark.parametrize("setting", ["TERM=dumb", "TERM=unknown", "TERM=", "TTY_INTERACTIVE=0", "TTY_COMPATIBLE=0"])
def test_a_terminal_that_can_show_no_picture_gets_plain_lines(bootstrap_servers, setting):
    with Terminal(WATCH, KAFKA_BOOTSTRAP_SERVERS=bootstrap_servers, **dict([setting.split("=")])) as terminal:
        terminal.shows(r"^\d\d:\d\d:\d\d  Topic ")
        assert terminal.interrupt() == 0
    assert b"\x1b" not in terminal.written
