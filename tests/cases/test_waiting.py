"""A failed wait says what it waited for, and what it saw last."""

import sys

import pytest

from machine.waiting import wait_until
from running.programs import Program


def test_a_failed_wait_names_what_it_waited_for_and_the_last_answer():
    answers = iter(range(100))
    with pytest.raises(AssertionError, match=r"^Waited 0\.\d s for the number 99; last seen: [1-9]$"):
        wait_until("the number 99", lambda: next(answers), 99, limit=0.1, every=0.05)


def test_a_program_that_has_ended_is_not_waited_for():
    program = Program("it", [sys.executable, "-c", "print('hello'); exit(3)"])
    with pytest.raises(AssertionError, match=r"^it: .* with 'bye'; .* It ended with 3 and printed only\nhello$"):
        program.wait_for("bye")
