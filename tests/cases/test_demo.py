"""The demonstration tells its whole story, gets its figures right, and leaves nothing behind."""

import re
import signal
import sys
from xml.etree import ElementTree

from machine.processes import commands_with
from machine.waiting import wait_until
from real_kafka.files import ROOT
from running.programs import Program
from running.terminal import Terminal

DEMO = [sys.executable, str(ROOT / "tests" / "demo.py"), "--fast"]
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"(?<![\w.])\d+(?!\.?\d)")  # not in a name, and not seconds with a decimal


def test_it_tells_all_seven_steps_and_no_message_is_missing(tmp_path):
    picture = tmp_path / "picture.svg"
    program = Program("demo.py", [*DEMO, "--picture", picture], TMPDIR=str(tmp_path), PYTHONIOENCODING="utf-8")
    try:
        assert program.wait(180) == 0, program.text()
    finally:
        program.send(signal.SIGTERM)
    assert not program.errors
    output = program.text()
    assert "\x1b" not in output
    assert output.count("    $ python consumer1.py") == 5  # once for each start, above its lines
    check_sentences(output)
    check_table(output)
    check_film(picture)
    assert list(tmp_path.iterdir()) == [picture]


def check_sentences(output):
    """Check that each offset in a step's sentences also stands in a script's line of that step.

    What has moved on since stands in no such line, nor what nobody has printed.
    """
    story = output.partition("What Kafka stored")[0]
    steps = re.split(r"^Step (\d) of 7\..*$", story, flags=re.MULTILINE)
    assert steps[1::2] == list("1234567")
    for number, step in zip(steps[1::2], steps[2::2], strict=True):
        printed = "\n".join(re.findall(r"^    \[.*$", step, re.MULTILINE))
        for sentence in re.findall(r"^  (?! ).*$", step, re.MULTILINE):
            assert set(NUMBER.findall(sentence)) <= set(NUMBER.findall(printed)), (number, sentence, printed)


def check_table(output):
    """Check the table against the story: what came again, and what was deleted unread."""
    table, _, verdict = output.partition("What Kafka stored")[2].partition("Verdict: ")
    rows = re.findall(r"(consumer\d) +(\d+) +(\d+) +(\d+) +(\d+)", table)
    stored = int(re.search(r"no message .* (\d+) were sent and stored;", verdict)[1])
    first_lost, last_lost = map(int, re.search(r"so: LOST: offsets (\d+) to (\d+)", output).groups())
    back = int(re.search(r"committed offset from (\d+) to 0", output)[1])
    for name, unread, rewound in (("consumer1", last_lost + 1 - first_lost, back), ("consumer2", 0, 0)):
        received, lost, repeated, lags = zip(*(map(int, row[1:]) for row in rows if row[0] == name), strict=True)
        assert sum(received) - sum(repeated) + sum(lost) == stored
        assert lost == (0, 0, 0, 0, 0, 0, unread)
        assert (*repeated[:3], *repeated[5:]) == (
            0,
            0,
            0,
            rewound,
            0,
        )  # a crash and an outage may repeat
        assert lags[-1] == 0


def check_film(file):
    """Check that it is a small film of the first four steps that loads and runs nothing."""
    drawing = file.read_text("utf-8")
    assert len(drawing) < 300_000
    root = ElementTree.fromstring(drawing)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {
        "svg",
        "title",
        "style",
        "defs",
        "g",
        "use",
        "rect",
        "path",
        "text",
    }
    assert not re.search(r"@font-face|@import|url\(|href=\"[^#]| on\w+=", drawing)
    assert set(re.findall(r"Step (\d) of 7", drawing)) == set("1234")
    rows = {f"#{row.get('id')}": "".join(row.itertext()) for row in root.find(f"{SVG}defs")}
    for frame in root.find(f"{SVG}svg/{SVG}g"):
        shown = "\n".join(rows[use.get("href")] for use in frame)
        (end,) = re.findall(r"end of log (\d+)$", shown, re.MULTILINE)
        lags = re.findall(r"committed (\d+), ?lag (\d+)$", shown, re.MULTILINE)
        assert {int(committed) + int(lag) for committed, lag in lags} <= {int(end)}  # no digit is cut


def test_the_picture_in_the_readme_is_such_a_film():
    check_film(ROOT / "tests" / "demo.svg")


def test_in_a_terminal_it_shows_a_picture_until_ctrl_c_and_leaves_everything_as_it_was(tmp_path):
    with Terminal(DEMO, TMPDIR=str(tmp_path)) as terminal:
        terminal.shows("Step 1 of 7")
        stopped = r"Group stock-group1 will resume .*\nStopped\..*\n+"
        terminal.shows(
            rf"^── consumer1: stopped with Ctrl\+C; its session .*\n(?:.*\n)*?{stopped}── consumer2: running ─"
        )
        terminal.shows(r"^consumer1 ━*●")
        terminal.type(" ")
        terminal.shows("^Held")
        assert terminal.interrupt() == 128 + signal.SIGINT
        assert terminal.written.decode().replace("\r", "").endswith("demo.py: Stopped. What it had started is gone.\n")
        assert terminal.written.count(b"\x1b[?1049h") == terminal.written.count(b"\x1b[?1049l") == 1
    assert not list(tmp_path.iterdir())
    if sys.platform == "linux":
        wait_until("all processes to end", lambda: commands_with(str(tmp_path)), [], limit=10)
