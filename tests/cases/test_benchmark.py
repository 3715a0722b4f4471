"""`python tests/benchmark.py` measures real consumers, judges them and prints tables."""

import asyncio
import re
import subprocess
import sys

import pytest

from machine.processes import commands_with
from peers.clients import COMMANDS, install_kafkajs
from peers.measuring import Ticks, catch_up, missing_and_repeated
from real_kafka.files import ROOT
from running.programs import Program


def benchmark(peer, **settings) -> Program:
    command = [sys.executable, ROOT / "tests" / "benchmark.py", "--short", "--only", peer]
    return Program("benchmark.py", command, **settings)


def test_it_measures_consumer1_and_judges_it():
    program = benchmark("consumer1.py")
    assert program.wait(limit=200) == 0, program.text()
    rows = re.findall(r"^\| consumer1\.py \| (.*) \|$", program.text(), re.MULTILINE)
    starts, verdicts, catching_up, [by_partitions] = (row.split(" | ") for row in rows)
    first, *again = map(float, starts)
    assert all(0.1 < seconds < first + 4 for seconds in again)  # a session lasts seven
    assert verdicts[:2] == ["0 / 0", "0 / 0"]
    assert re.fullmatch(r"0 / \d{1,3}", verdicts[2])
    assert 0.1 < float(by_partitions) < 60
    rate, *ratios, memory, cpu = catching_up
    assert ratios == ["-", "-"]  # the yardsticks were not measured
    assert 20 < float(memory) < 100  # Python alone takes 10
    # Catching up takes one CPU or, on a busy machine, a part of one.
    assert 0.05 < float(rate.replace(",", "")) * float(cpu) / 300_000 < 3


@pytest.mark.parametrize("peer", COMMANDS)
def test_each_peer_prints_each_message_once(peer, bootstrap_servers, topic):
    if peer == "kafkajs":
        try:
            install_kafkajs()
        except (OSError, subprocess.SubprocessError):
            pytest.skip("needs node, and npm to download kafkajs")
    ticks = Ticks(bootstrap_servers, topic)
    ticks.store(500)
    asyncio.run(catch_up(ticks, peer))  # fails if a message is missing or comes twice


def test_missing_messages_and_all_repetitions_are_counted():
    """Messages that came after the count began, here 5 and 6, do not count."""
    assert missing_and_repeated(5, [0, 1, 0, 1, 2, 4, 5, 6, 5]) == (1, 2)


def test_ctrl_c_ends_it_and_everything_that_it_started():
    program = benchmark("consumer1.py", IT_IS="mine-alone")
    program.until("a consumer to run", lambda: "catching up" in program.text(), limit=120)
    assert commands_with("mine-alone")
    assert program.interrupt() == 130
    assert not commands_with("mine-alone")
    assert "Traceback" not in program.text()


def test_a_consumer_that_cannot_run_here_is_left_out_and_the_reason_is_printed():
    program = benchmark("kafkajs", PATH="")
    assert program.wait() == 1
    assert "kafkajs is left out: it needs node" in program.errors[0].text
