"""Run a program as a person does: a process with an environment and real signals. Its lines are read back."""

import os
import re
import signal
import subprocess
import threading

from evidence.lines import Line, line_of
from machine.processes import now, start
from machine.waiting import Overdue, wait_until


class Program:
    """A running program; failures call it by its name. The command is a list.

    The settings are more environment variables. Of ours it gets none for Kafka or Python, except PYTHONUNBUFFERED: the
    scripts must work with it and without it. `process` is its subprocess.Popen. The signal `next_line_gets` is sent to
    it once, as soon as it has printed another line.
    """

    def __init__(self, name, command, **settings):
        foreign = re.compile("KAFKA_|PYTHON(?!UNBUFFERED$)|SEND_")
        inherited = {key: value for key, value in os.environ.items() if not foreign.match(key)}
        self.name, self.output, self.errors = name, [], []  # the Lines that it has printed so far
        self.next_line_gets = None
        self.started = now()  # in seconds, as the times of its lines
        self.process = start(command, env={**inherited, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        streams = (self.process.stdout, self.output), (self.process.stderr, self.errors)
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    def until(self, what, ask, wanted=bool, limit=60):
        """Wait as `wait_until` does, but only while the program runs. A failure shows what the program printed."""
        try:
            return wait_until(what, ask, wanted, limit, every=0.05, is_over=self.has_ended)
        except Overdue as why:
            state = "still runs" if self.process.poll() is None else f"ended with {self.process.returncode}"
            raise AssertionError(f"{self.name}: {why}. It {state} and printed only\n{self.text()}") from None

    def has_ended(self) -> bool:
        """Tell whether it has ended and all its lines have been read."""
        return self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers)

    def wait_for(self, pattern, limit=60, since=0.0) -> Line:
        """Return the first line, read at `since` or later, that contains the regular expression; fail as `until`."""

        def found():
            return next((line for line in self.output if line.at >= since and re.search(pattern, line.text)), None)

        return self.until(f"a line with {pattern!r}", found, limit=limit)

    def text(self) -> str:
        return "\n".join(line.text for line in [*self.output, *self.errors])

    def send(self, number) -> None:
        """Send it a signal, unless it has ended."""
        self.process.send_signal(number)

    def wait(self, limit=60) -> int:
        """Return its exit status when it has ended and all its lines have been read; fail after `limit` seconds."""
        self.until("its end", self.has_ended, limit=limit)
        return self.process.returncode

    def interrupt(self, limit=60) -> int:
        """Stop it as Ctrl+C does, and return its exit status."""
        self.send(signal.SIGINT)
        return self.wait(limit)

    def kill(self) -> int:
        """Kill it and what it started, as kill -9 does, and return its exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.wait()

    def _read(self, stream, lines):
        with stream:
            for line in stream:
                if self.next_line_gets:
                    self.send(self.next_line_gets)
                    self.next_line_gets = None
                lines.append(line_of(line.decode("utf-8", "backslashreplace").rstrip("\r\n"), now()))
