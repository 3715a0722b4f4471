"""The demonstration tells its whole story, gets its figures right, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from local_kafka.files import ROOT
from local_kafka.processes import commands_with
from local_kafka.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its Ctrl+C is sent as POSIX does")
if sys.platform != "win32":
    import pty

    import pyte

DEMO = [sys.executable, str(ROOT / "tests" / "demo.py"), "--fast"]
STOPPED = "demo.py: Stopped. Its scripts and its Kafka are gone.\n"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def demo(tmp_path):
    """A function that starts demo.py, by default without a terminal; its temporary files come to tmp_path."""
    started = []

    def run(*arguments, output=subprocess.PIPE, errors=subprocess.PIPE, **settings):
        environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8", **settings}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": errors}
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
    assert [row[0] for row in rows] == ["consumer1", "consumer2"] * 7
    stored, back = (int(re.search(text, output)[1]) for text in (r"(\d+) were sent and", r"From (\d+) back to 0"))
    first_lost, last_lost = map(int, re.search(r"so: LOST: offsets (\d+) to (\d+)", output).groups())
    for name, lost, rewound in (("consumer1", last_lost + 1 - first_lost, back), ("consumer2", 0, 0)):
        received, missing, repeated, lags = zip(*(map(int, row[1:]) for row in rows if row[0] == name), strict=True)
        assert sum(received) - sum(repeated) + sum(missing) == stored
        assert missing == (0, 0, 0, 0, 0, 0, lost)
        assert (*repeated[:3], *repeated[5:]) == (0, 0, 0, rewound, 0)  # in between, a crash and an outage may repeat
        assert lags[-1] == 0
    assert "\nVerdict: no message went missing" in verdict


def check_picture(file):
    """Check that a film of the first four steps loads and runs nothing, and is small."""
    drawing = file.read_text("utf-8")
    root = ElementTree.fromstring(drawing)
    assert len(drawing) < 300_000
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "defs", "g", "use", "rect", "path", "text"}
    assert not re.search(r"@font-face|@import|url\(|href=\"[^#]| on\w+=", drawing)
    for number, title in enumerate(("both producers", "Ctrl+C on", "consumer1 started", "kill -9"), 1):
        assert f"Step {number} of 7: {title}" in drawing
    assert "Step 5" not in drawing
    for text in ("stopped with Ctrl+C", "Resuming stock-market-0 at offset", "lag 0"):
        assert text in drawing
    still = words_of_the_still_frame(root)
    assert "Ctrl+C on consumer1" in still
    assert int(re.search(r"lag (\d+)", still)[1]) >= 10


def words_of_the_still_frame(root):
    rows = {group.get("id"): " ".join(group.itertext()) for group in root.find(f"{SVG}defs")}
    film = root.find(f"{SVG}svg/{SVG}g")
    number = -int(re.search(r"-?\d+", film.get("transform"))[0]) // int(root.get("width"))
    return " ".join(rows[use.get("href")[1:]] for use in film[number])


def test_the_picture_in_the_readme_is_such_a_film():
    check_picture(ROOT / "tests" / "demo.svg")


@pytest.mark.parametrize(("number", "moment"), [(signal.SIGHUP, "Starting Kafka."), (signal.SIGINT, "Step 5 of 7.")])
def test_ctrl_c_or_a_closed_terminal_ends_it_with_its_scripts_and_its_kafka(demo, tmp_path, number, moment):
    process = demo()
    next(line for line in process.stdout if line.startswith(moment))
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (128 + number, STOPPED)
    assert not list(tmp_path.iterdir())
    if sys.platform == "linux":
        wait_until(lambda: not commands_with(str(tmp_path)), limit=10)


def test_on_a_terminal_it_shows_a_picture_and_leaves_the_terminal_as_it_was(demo):
    ours, theirs = pty.openpty()
    process = demo(output=theirs, errors=theirs, TERM="xterm-256color", COLUMNS="80", LINES="24")
    os.close(theirs)
    raw, screen, seen = b"", pyte.Screen(80, 24), ""
    stream = pyte.ByteStream(screen)
    while data := read(ours):
        raw += data
        stream.feed(data)
        seen += "\n".join(screen.display)
        if "It went on at" in seen:
            process.send_signal(signal.SIGINT)
    os.close(ours)
    assert process.wait(30) == 130
    assert raw.decode().replace("\r", "").endswith(STOPPED)
    assert raw.count(b"\x1b[?1049h") == raw.count(b"\x1b[?1049l") == 1
    for text in (*(f"Step {n} of 7" for n in range(1, 5)), "consumer1: stopped with Ctrl+C", "● resumed"):
        assert text in seen


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        return b""
