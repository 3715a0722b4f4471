"""The demonstration tells its whole story, gets its figures right, and leaves nothing behind."""

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest

from local_kafka.files import ROOT
from local_kafka.processes import commands_with
from local_kafka.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its Ctrl+C is sent as POSIX does")
ROW = re.compile(r"[│|] *(?P<step>\d .*?)? *[│|] (?P<name>consumer\d) +[│|](?P<cells>.*)[│|]")


@pytest.fixture
def demo(tmp_path):
    """A function that starts demo.py without a terminal; its temporary files come to tmp_path."""
    started = []

    def run(*arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, str(ROOT / "tests" / "demo.py"), *arguments],
                env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def table(text):
    """Return {(step, consumer): its cells} of the table."""
    rows, step = {}, None
    for row in filter(None, map(ROW.search, text.splitlines())):
        step = int(row["step"].split()[0]) if row["step"] else step
        rows[step, row["name"]] = [cell.strip() for cell in re.split("[│|]", row["cells"])]
    return rows


def number(cell):
    return int(cell.split()[0])


def of_demonstration(output, kafka):
    """Return the topics and groups in this Kafka that are of the demonstration that printed this."""
    own = re.search(r"-demo-\w+", output)[0]
    with kafka.admin() as admin:
        names = [*admin.list_topics(), *(group["group_id"] for group in admin.list_groups())]
    return [name for name in names if own in name]


def check_story(output):
    """Check what is true of each run: all steps, no escape codes, and figures that fit together."""
    assert re.findall(r"^Step (\d) of 7\.", output, re.MULTILINE) == list("1234567")
    assert "\x1b" not in output
    rows = table(output)
    assert sorted(rows) == [(step, name) for step in range(1, 8) for name in ("consumer1", "consumer2")]
    sent, stored = (
        sum(number(rows[step, "consumer1"][0]) for step in range(1, 8)),
        re.search(r"(\d+) were sent", output),
    )
    assert sent == int(stored[1])
    lost = re.search(r"LOST: retention deleted up to (\d+) messages", output)
    back = re.search(r"From (\d+) back to 0", output)
    for (step, name), (_, received, missing, repeated, _, wait) in rows.items():
        at = (step, name)
        assert number(missing) == (int(lost[1]) if at == (7, "consumer1") else 0)
        if at != (4, "consumer1"):  # kill -9 may repeat a batch
            assert number(repeated) == (int(back[1]) if at == (6, "consumer1") else 0)
        assert number(received) > 0 or at == (2, "consumer1")
        if name == "consumer1" and step in (3, 4, 6, 7):
            assert re.fullmatch(r"\d+\.\d s", wait)
    for name in ("consumer1", "consumer2"):
        mine = [cells for (_, consumer), cells in rows.items() if consumer == name]
        received, missing, repeated = (sum(number(cells[column]) for cells in mine) for column in (1, 2, 3))
        assert received - repeated + missing == sent
    assert "\nVerdict: no message went missing" in output


def test_it_tells_all_seven_steps_and_its_figures_fit_together(demo, tmp_path):
    picture = tmp_path / "picture.svg"
    process = demo("--fast", "--picture", str(picture))
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, ""), output
    check_story(output)
    check_resume(output)
    check_picture(picture)
    assert list(tmp_path.iterdir()) == [picture]


def check_resume(output):
    """Check that the restart is told: where it stopped, the first message after it, the lag."""
    stopped, first = re.search(r"Stopped at (\d+), first message after the restart: (\d+)", output).groups()
    behind = re.search(rf"Resuming stock-market-0 at offset {stopped}: (\d+) offsets behind", output)
    assert first == stopped
    assert f"Lag {behind[1]} → 0 in " in output


def check_picture(file):
    """Check that a film of the first four steps loads and runs nothing, and is small."""
    drawing = file.read_text("utf-8")
    root = ElementTree.fromstring(drawing)
    assert file.stat().st_size < 300_000
    seconds = float(re.search(r"animation:film ([\d.]+)s step-end infinite", drawing)[1])
    assert seconds <= 20
    assert "@media (prefers-reduced-motion:reduce){.film{animation:none}}" in drawing
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "desc", "style", "defs", "g", "use", "rect", "path", "text"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert not name.endswith("href") or value.startswith("#")
    assert not re.search(r"@font-face|@import|url\(", drawing)
    for number, title in enumerate(("both producers", "Ctrl+C on", "consumer1 started", "kill -9"), 1):
        assert f"Step {number} of 7: {title}" in drawing
    assert "Step 5" not in drawing
    for text in ("stopped with Ctrl+C", "killed with kill -9", "Resuming stock-market-0 at offset", "lag 0"):
        assert text in drawing
    still = still_frame(root)
    assert "Ctrl+C on consumer1" in still
    assert int(re.search(r"lag (\d+)", still)[1]) >= 10


def still_frame(root):
    """Return the words of the frame that is shown to those who ask for less motion."""
    svg = "{http://www.w3.org/2000/svg}"
    rows = {group.get("id"): " ".join(group.itertext()) for group in root.find(f"{svg}defs")}
    film = root.find(f"{svg}svg/{svg}g")
    width = int(root.get("width"))
    number = -int(re.search(r"-?\d+", film.get("transform"))[0]) // width
    return " ".join(rows[use.get("href")[1:]] for use in film[number].iter(f"{svg}use"))


def test_the_picture_in_the_readme_is_such_a_film():
    check_picture(ROOT / "tests" / "demo.svg")


@pytest.mark.parametrize("step", [0, 1, 3, 5])
def test_ctrl_c_ends_it_with_its_scripts_and_its_kafka_at_once(demo, tmp_path, step):
    process = demo("--fast")
    for line in process.stdout:
        if line.startswith(f"Step {step} of 7." if step else "Starting Kafka."):
            break
    time.sleep(0.7)  # the scripts, or Kafka, are being started or stopped
    if sys.platform == "linux":
        assert len(commands_with(str(tmp_path))) > 1
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert errors == "demo.py: Stopped. Its scripts and its Kafka are gone.\n"
    assert not list(tmp_path.iterdir())
    if sys.platform == "linux":
        wait_until(lambda: not commands_with(str(tmp_path)), limit=10)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_the_end_of_its_terminal_ends_it_too(demo, tmp_path, name):
    process = demo("--fast")
    assert process.stdout.readline() == "Starting Kafka.\n"
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + getattr(signal, name)
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_on_a_kafka_that_runs_already_it_deletes_its_topic_and_groups(demo, kafka):
    process = demo("--fast", "--bootstrap-servers", kafka.bootstrap_servers[0])
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, ""), output
    check_story(output)
    assert "Left out: this Kafka is not the demonstration's own to stop." in output
    wait_until(lambda: not of_demonstration(output, kafka))


def test_ctrl_c_deletes_topic_and_groups_of_a_kafka_that_runs_already(demo, kafka):
    process = demo("--fast", "--bootstrap-servers", kafka.bootstrap_servers[0])
    output = "".join(itertools.takewhile(lambda line: not line.startswith("Step 4 of 7."), process.stdout))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "demo.py: Stopped. Its scripts and its Kafka are gone.\n")
    wait_until(lambda: not of_demonstration(output, kafka))


@pytest.mark.parametrize("arguments", [("--bootstrap-servers", "nowhere"), ("--picture", "/no/such/directory/x.svg")])
def test_an_argument_that_cannot_be_used_is_refused_in_a_sentence(demo, arguments):
    process = demo(*arguments)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.splitlines()[-1].startswith("demo.py: error: ")


def test_without_a_kafka_at_the_address_it_says_so_in_one_line(demo):
    with socket.socket() as reserved:  # bound, but nobody listens
        reserved.bind(("127.0.0.1", 0))
        process = demo("--bootstrap-servers", f"127.0.0.1:{reserved.getsockname()[1]}")
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert re.fullmatch(r"demo.py: .+\n", errors)
