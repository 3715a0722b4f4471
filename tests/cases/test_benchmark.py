"""`python tests/benchmark.py`: it measures real consumers, judges them and prints what it found as tables."""

import re
import signal
import subprocess
import sys

import pytest

from evidence.scripts import Script
from local_kafka.files import ROOT
from local_kafka.processes import commands_with
from local_kafka.waiting import wait_until
from peers import tables
from peers.catching_up import CatchUp
from peers.restarts import Verdict, judge
from peers.side_by_side import Stories, pause
from peers.silence import Silence
from peers.ticks import numbers, tick

BENCHMARK = [sys.executable, str(ROOT / "tests" / "benchmark.py")]


def rows(markdown):
    """Return {(the table's title, the row's name): its figures}."""
    found, title = {}, None
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            title = None
        elif title is None:
            title = cells[0]
        elif cells[0] != "---":
            found[title, cells[0]] = cells[1:]
    return found


def test_it_measures_consumer1_and_a_peer_and_judges_both():
    """One restart of each kind: aiokafka is the peer that waits least after a kill -9, ten seconds."""
    options = ["--short", "--messages", "2000", "--restarts", "1", "--only", "consumer1", "--only", "aiokafka"]
    result = subprocess.run([*BENCHMARK, *options], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    assert all(line.startswith(("benchmark.py: ", "Downloading ")) for line in result.stderr.splitlines())
    found = rows(result.stdout)
    assert {name for _, name in found} == {"consumer1.py", "aiokafka"}
    silences = [float(cell) for cell in found["Start to first message (s)", "aiokafka"]]
    assert min(silences[2:]) > 5  # after SIGTERM and kill -9 its session must be over
    assert all(0.01 < float(cell) < 60 for cell in found["Start to first message (s)", "consumer1.py"])
    verdicts = found["Missing / repeated messages (restarts: 1)", "consumer1.py"]
    assert [cell.split(" / ")[0] for cell in verdicts] == ["0", "0", "0"]
    rate, memory, cpu = found["Catching up with 2,000 messages", "aiokafka"]
    assert rate == "all at once" or float(rate.replace(",", "")) > 100
    assert 5 < float(memory) < 500
    assert 0 < float(cpu) < 60


def test_ctrl_c_ends_it_with_all_that_it_started():
    command = [*BENCHMARK, "--short", "--messages", "2000", "--only", "consumer1"]
    benchmark = Script("benchmark.py", "", command=command, IT_IS="mine-alone")
    wait_until(lambda: any("restarts after" in line.text for line in benchmark.errors), limit=120)
    assert commands_with("mine-alone")
    benchmark.send(signal.SIGINT)
    assert benchmark.wait() == 130
    wait_until(lambda: not commands_with("mine-alone"))
    assert "Traceback" not in benchmark.text()


@pytest.mark.parametrize("arguments", [["--messages", "0"], ["--only", "pulsar"], ["--fast"]])
def test_an_option_that_it_cannot_use_is_one_clear_line(arguments):
    result = subprocess.run([*BENCHMARK, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert re.fullmatch(rf"benchmark\.py: .*{arguments[-1]}.*\n", result.stderr)


def test_a_system_without_unix_signals_is_told_so_before_anything_else():
    pretend = "import sys; sys.platform = 'win32'; sys.modules['psutil'] = None; import benchmark; benchmark.main()"
    result = subprocess.run(
        [sys.executable, "-c", pretend], cwd=ROOT / "tests", capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "benchmark.py: it ends consumers with Unix signals, so it needs Linux or macOS.\n"


def test_a_torn_last_line_is_not_printed():
    assert numbers(b"Received: %s (partition 0, offset 0)\n%s" % (tick(0), tick(1))) == [0]


def test_any_line_that_shows_a_tick_names_it():
    assert numbers(b"[Consumer1] Resuming\n%s\nReceived: %s (partition 0, offset 7)\n" % (tick(6), tick(7))) == [6, 7]


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([[0, 1, 2], [3, 4]], (0, 0)),
        ([[0, 1, 2], [4]], (1, 0)),
        ([[0, 1, 2], [1, 2, 3, 4]], (0, 2)),
        ([[0, 1], [0, 1], [0, 1, 2, 3, 4]], (0, 4)),
        ([[0, 1, 2, 3, 4, 5, 6]], (0, 0)),  # what came after the count began is not judged
    ],
)
def test_the_judge_counts_what_is_missing_and_each_repetition(runs, verdict):
    assert judge(5, runs) == verdict


def test_a_table_row_has_the_medians():
    peer = type("Peer", (), {"key": "k", "name": "one"})
    runs = [CatchUp(1000, 40, 1), CatchUp(3000, 60, 3), CatchUp(2000, 50, 9)]
    assert tables.catch_ups([peer], {"k": runs}, 300_000).splitlines()[-1] == "| one | 2,000 | 50 | 3.00 |"
    endings = ("Ctrl+C", "SIGTERM", "kill -9")
    silences = {("k", ending): [Silence(0.2, 0.1), Silence(0.4, 0.3), Silence(0.3, 45)] for ending in endings}
    assert tables.silences([peer], silences).splitlines()[-1] == "| one | 0.30 | 0.30 | 0.30 | 0.30 |"


def test_verdicts_of_several_groups_are_added():
    peer = type("Peer", (), {"key": "k", "name": "one"})
    found = {("k", ending): [Verdict(4, 0, 700), Verdict(4, 1, 900)] for ending in ("Ctrl+C", "SIGTERM", "kill -9")}
    head, _, row = tables.verdicts([peer], found).splitlines()
    assert head.startswith("| Missing / repeated messages (restarts: 8) |")
    assert row == "| one | 1 / 1,600 | 1 / 1,600 | 1 / 1,600 |"


def test_a_story_that_takes_long_goes_on_beside_the_others():
    told = []

    def story(seconds):
        yield from pause(seconds)
        told.append(seconds)

    with Stories() as stories:
        assert stories.tell(story(0), patience=10)
        assert not stories.tell(story(0.2), patience=0.01)
        assert stories.tell(story(0), patience=10)
        stories.tell_all([story(0.1)], meanwhile=lambda left: None)
    assert sorted(told) == [0, 0, 0.1, 0.2]


def test_a_story_that_is_broken_off_clears_up():
    cleared = []

    def story():
        try:
            yield from pause(1000)
        finally:
            cleared.append(True)

    with Stories() as stories:
        assert not stories.tell(story(), patience=0.01)
        assert not cleared
    assert cleared
