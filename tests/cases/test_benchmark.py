"""`python tests/benchmark.py`: it measures real consumers, judges them and prints what it found as tables."""

import os
import re
import subprocess
import sys

import pytest

from evidence.scripts import Script
from local_kafka.files import ROOT
from local_kafka.processes import commands_with
from local_kafka.waiting import wait_until
from peers.catalogue import PEERS
from peers.measuring import missing_and_repeated
from peers.tables import catch_ups_table

BENCHMARK = [sys.executable, str(ROOT / "tests" / "benchmark.py")]
LITTLE = ["--short", "--messages", "20000", "--only", "consumer1"]


def run(*arguments, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run(
        [*BENCHMARK, *arguments], env=environment, capture_output=True, text=True, timeout=200, check=False
    )


def test_it_measures_consumer1_and_judges_it():
    result = run(*LITTLE)
    assert result.returncode == 0, result.stderr
    starts, verdicts, catching_up = re.findall(r"^\| consumer1\.py \| (.*) \|$", result.stdout, re.MULTILINE)
    assert all(0.01 < float(seconds) < 60 for seconds in starts.split(" | "))
    assert [verdict.split(" / ")[0] for verdict in verdicts.split(" | ")] == ["0", "0", "0"]
    rate, _, memory, cpu = catching_up.split(" | ")
    assert float(rate.replace(",", "")) > 100
    assert 5 < float(memory) < 500
    assert 0 < float(cpu) < 60


def test_ctrl_c_ends_it_with_all_that_it_started():
    benchmark = Script("benchmark.py", "", command=[*BENCHMARK, *LITTLE], IT_IS="mine-alone")
    benchmark.wait_until(lambda: any("groups are left" in line.text for line in benchmark.errors), limit=120)
    assert commands_with("mine-alone")
    assert benchmark.interrupt() == 130
    wait_until(lambda: not commands_with("mine-alone"))
    assert "Traceback" not in benchmark.text()


def test_a_consumer_that_cannot_run_here_is_left_out_with_the_reason():
    result = run("--only", "kafkajs", PATH="")
    assert result.returncode == 1
    assert result.stderr.startswith("benchmark.py: kafkajs, as the Node originals: left out, for it needs node")


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([[0, 1, 2], [4]], (1, 0)),
        ([[0, 1], [0, 1], [0, 1, 2, 3, 4]], (0, 4)),
        ([[0, 1, 2, 3, 4, 5, 6]], (0, 0)),  # what came after the count began is not judged
    ],
)
def test_what_is_missing_and_each_repetition_is_counted(runs, expected):
    assert missing_and_repeated(5, runs) == expected


def test_a_rate_is_a_median_and_stands_beside_that_of_confluent_kafka():
    consumer1, poll = PEERS["consumer1"], PEERS["confluent-poll"]
    catch_ups = {consumer1: [(1000, 40, 1), (3000, 60, 3), (2000, 50, 9)], poll: [(800, 70, 1)]}
    row = catch_ups_table(catch_ups, 300_000).splitlines()[2]
    assert row == "| consumer1.py | 2,000 | 2.50 | 50 | 3.00 |"
