"""Running a program as a person does: a process with an environment and real signals, whose lines are read back."""

import os
import re
import signal
import subprocess
import threading

from evidence.lines import Line, line_of
from machine.processes import now, start
from machine.waiting import Overdue, wait_until, will_do


class Program:
    """A program, running.

    Args:
        name: what failures call it.
        command: as a list.
        settings: more of its environment. Of our own it gets nothing that names Kafka or Python, but PYTHONUNBUFFERED:
            the scripts must do without it as with it.

    Attributes:
        process: the subprocess.Popen.
        started: when it was started, in seconds of time.monotonic().
        output, errors: what it has printed so far, as lists of Line.
        next_line_gets: a signal that it gets as soon as it has printed another line, once; or None.
    """

    def __init__(self, name, command, **settings):
        foreign = ("KAFKA_", "PYTHON", "SEND_")
        ours = os.environ.items()
        inherited = {key: value for key, value in ours if key == "PYTHONUNBUFFERED" or not key.startswith(foreign)}
        self.name, self.output, self.errors, self.next_line_gets = name, [], [], None
        self.started = now()
        self.process = start(command, env={**inherited, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._readers = [
            threading.Thread(target=self._take_in, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def until(self, what, ask, wanted=bool, limit=60):
        """Wait as the function `wait_until` does, but no longer than the program runs; fail with what was printed."""

        def asked():
            has_ended = self.has_ended()  # asked first: its last lines may be what is waited for
            answer = ask()
            if has_ended and not will_do(wanted, answer):
                raise Overdue(f"Ended with {self.process.returncode} before {what}; last seen: {answer}")
            return answer

        try:
            return wait_until(what, asked, wanted, limit, every=0.05)
        except Overdue as why:
            raise AssertionError(f"{self.name}: {why}. It printed only\n{self.text()}") from None

    def has_ended(self) -> bool:
        """Tell whether it has ended and all its lines are read."""
        return self.process.poll() is not None and not any(r.is_alive() for r in self._readers)

    def wait_for(self, pattern, limit=60, since=0.0) -> Line:
        """Return the first line since then in which the regular expression is found; raises as `wait_until`."""

        def found():
            return next((line for line in self.output if line.at >= since and re.search(pattern, line.text)), None)

        return self.until(f"a line with {pattern!r}", found, limit=limit)

    def text(self) -> str:
        return "\n".join(line.text for line in [*self.output, *self.errors])

    def send(self, number) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, limit=60) -> int:
        """Return its exit status when it has ended and all its lines are read; fail after `limit` seconds."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {limit} s:\n{self.text()}") from None
        for reader in self._readers:
            reader.join(limit)
        return status

    def interrupt(self, limit=60) -> int:
        """Stop it as Ctrl+C does; return its exit status."""
        self.send(signal.SIGINT)
        return self.wait(limit)

    def kill(self) -> int:
        """Kill it, and what it has started, as kill -9 does; return its exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.wait()

    def _take_in(self, stream, lines):
        with stream:
            for line in stream:
                if self.next_line_gets:
                    self.send(self.next_line_gets)
                    self.next_line_gets = None
                lines.append(line_of(line.decode("utf-8", "backslashreplace").rstrip("\r\n"), now()))
