"""`python tests/benchmark.py`: it measures real consumers, judges them and prints what it found as tables."""

import re
import sys

from evidence.programs import Program
from local_kafka.files import ROOT
from machine.processes import commands_with
from peers.measuring import missing_and_repeated


def benchmark(peer, **settings) -> Program:
    command = [sys.executable, ROOT / "tests" / "benchmark.py", "--short", "--only", peer]
    return Program("benchmark.py", command, **settings)


def test_it_measures_consumer1_and_judges_it():
    program = benchmark("consumer1.py")
    assert program.wait(limit=200) == 0, program.text()
    starts, verdicts, catching_up = re.findall(r"^\| consumer1\.py \| (.*) \|$", program.text(), re.MULTILINE)
    assert all(0.01 < float(seconds) < 60 for seconds in starts.split(" | "))
    assert [verdict.split(" / ")[0] for verdict in verdicts.split(" | ")] == ["0", "0", "0"]
    rate, _, memory, cpu = catching_up.split(" | ")
    assert float(rate.replace(",", "")) > 100
    assert 5 < float(memory) < 500
    assert 0 < float(cpu) < 60


def test_what_is_missing_and_each_repetition_is_counted():
    """What came after the count began, here 5 and 6, is not judged."""
    assert missing_and_repeated(5, [0, 1, 0, 1, 2, 4, 5, 6, 5]) == (1, 2)


def test_ctrl_c_ends_it_with_all_that_it_started():
    program = benchmark("consumer1.py", IT_IS="mine-alone")
    program.wait_until("a consumer to run", lambda: "catching up" in program.text(), limit=120)
    assert commands_with("mine-alone")
    assert program.interrupt() == 130
    assert not commands_with("mine-alone")
    assert "Traceback" not in program.text()


def test_a_consumer_that_cannot_run_here_is_left_out_with_the_reason():
    program = benchmark("kafkajs", PATH="")
    assert program.wait() == 1
    assert "kafkajs is left out, for it needs node" in program.errors[0].text
