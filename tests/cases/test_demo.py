"""The demonstration tells its whole story, gets its figures right, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from evidence.terminal import Terminal
from local_kafka.files import ROOT
from machine.processes import commands_with
from machine.waiting import wait_until

DEMO = [sys.executable, str(ROOT / "tests" / "demo.py"), "--fast"]
STOPPED = "demo.py: Stopped. What it had started is gone.\n"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def demo(tmp_path):
    """A function that starts demo.py without a terminal; its temporary files come to tmp_path."""
    started = []

    def run(*arguments):
        environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen([*DEMO, *arguments], env=environment, encoding="utf-8", **pipes))
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        process.communicate(timeout=60)


def test_it_tells_all_seven_steps_and_no_message_is_missing(demo, tmp_path):
    picture = tmp_path / "picture.svg"
    process = demo("--picture", str(picture))
    output, errors = process.communicate(timeout=180)
    assert (process.returncode, errors) == (0, ""), output
    assert re.findall(r"^Step (\d) of 7\.", output, re.MULTILINE) == list("1234567")
    assert "\x1b" not in output
    stopped, first = re.search(r"Stopped at (\d+), first message after the restart: (\d+)", output).groups()
    assert first == stopped
    check_table(output)
    check_picture(picture)
    assert list(tmp_path.iterdir()) == [picture]


def check_table(output):
    """Check that the table's figures fit what the story has told: what came again, and what was deleted unread."""
    table, _, verdict = output.partition("What Kafka stored")[2].partition("Why no message")
    rows = re.findall(r"(consumer\d) +(?:\d+ +)?(\d+) +(\d+)(?: \(LOST\))? +(\d+)(?: \(.*?\))? +(\d+)(?: |$)", table)
    stored = int(re.search(r"Verdict: no message went missing .* (\d+) were sent and stored", verdict)[1])
    first_lost, last_lost = map(int, re.search(r"so: LOST: offsets (\d+) to (\d+)", output).groups())
    back = int(re.search(r"From (\d+) back to 0", output)[1])
    for name, lost, rewound in (("consumer1", last_lost + 1 - first_lost, back), ("consumer2", 0, 0)):
        received, missing, repeated, lags = zip(*(map(int, row[1:]) for row in rows if row[0] == name), strict=True)
        assert sum(received) - sum(repeated) + sum(missing) == stored
        assert missing == (0, 0, 0, 0, 0, 0, lost)
        assert (*repeated[:3], *repeated[5:]) == (0, 0, 0, rewound, 0)  # in between, a crash and an outage may repeat
        assert lags[-1] == 0


def check_picture(file):
    """Check that a film of the first four steps loads and runs nothing, and is small."""
    drawing = file.read_text("utf-8")
    assert len(drawing) < 300_000
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(drawing).iter()}
    assert tags <= {"svg", "title", "desc", "style", "defs", "g", "use", "rect", "path", "text"}
    assert not re.search(r"@font-face|@import|url\(|href=\"[^#]| on\w+=", drawing)
    assert set(re.findall(r"Step (\d) of 7", drawing)) == set("1234")
    assert "stopped with Ctrl+C" in drawing
    assert "Resuming partition 0 at offset" in drawing


def test_the_picture_in_the_readme_is_such_a_film():
    check_picture(ROOT / "tests" / "demo.svg")


def test_where_no_kafka_answers_it_says_so_in_one_line(demo):
    process = demo("--bootstrap-servers", "127.0.0.1:none")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert errors == "demo.py: 127.0.0.1:none: no Kafka answers there. Start it, or correct the address.\n"


def test_a_closed_terminal_ends_it_and_in_a_kafka_that_ran_already_nothing_of_it_is_left(demo, kafka, tmp_path):
    process, output = demo("--bootstrap-servers", *kafka.bootstrap_servers), ""
    for line in process.stdout:
        output += line
        if line.startswith("  It stopped at offset"):  # both groups have a member
            process.send_signal(signal.SIGHUP)
    assert (process.wait(30), process.stderr.read()) == (128 + signal.SIGHUP, STOPPED)
    check_nothing_is_left(tmp_path)
    (suffix,) = set(re.findall(r"-demo-\w+", output))
    with kafka.admin() as admin:
        names = [*admin.list_topics(), *(group["group_id"] for group in admin.list_groups())]
    assert not [name for name in names if suffix in name]


def test_on_a_terminal_it_shows_a_picture_until_ctrl_c_and_leaves_all_as_it_was(tmp_path):
    with Terminal(DEMO, TMPDIR=str(tmp_path)) as terminal:
        for text in ("Step 1 of 7", "Received: AAPL", r"consumer1: stopped with Ctrl\+C", "Resuming partition 0"):
            terminal.shows(text)
        assert terminal.interrupt() == 128 + signal.SIGINT
        assert terminal.written.decode().replace("\r", "").endswith(STOPPED)
        assert terminal.written.count(b"\x1b[?1049h") == terminal.written.count(b"\x1b[?1049l") == 1
    check_nothing_is_left(tmp_path)


def check_nothing_is_left(folder):
    assert not list(folder.iterdir())
    if sys.platform == "linux":
        wait_until(lambda: not commands_with(str(folder)), limit=10)
