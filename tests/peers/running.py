"""A consumer that runs, with its output in a file: a file is never slower than the consumer."""

import itertools
import time
from pathlib import Path

import psutil

from evidence.scripts import Script
from peers.ticks import Stream, numbers

NUMBER = itertools.count(1)
TO_FILE = ["sh", "-c", 'exec "$0" "$@" >"$OUTPUT"']
A_BLOCK = 65536  # of bytes: more than all that a consumer prints before its first message


class Place:
    """Where the consumers are measured.

    Args:
        servers: the broker's "host:port".
        directory: a temporary one, for the consumers' output.
        topics: the topics, which are there.

    Attributes:
        streams: {topic: the Stream of ticks into it}.
    """

    def __init__(self, servers, directory, topics):
        self.servers = servers
        self.directory = Path(directory)
        self.streams = {topic: Stream(servers, topic) for topic in topics}

    def new_group(self) -> str:
        return f"group-{next(NUMBER)}"

    def start(self, peer, topic, group) -> "Run":
        return Run(peer, self, topic, group)


class Run:
    """One of the consumers, running.

    Attributes:
        started: when it was started, in seconds of time.monotonic().
    """

    def __init__(self, peer, place, topic, group):
        self.peer = peer
        self.path = place.directory / f"output-{next(NUMBER)}"
        self.path.touch()
        settings = {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": group, "OUTPUT": str(self.path)}
        command = [*TO_FILE, *peer.command]
        self._script = Script(peer.key, place.servers, command=command, **settings, **peer.environment)
        self.started = self._script.started
        self.send = self._script.send
        self.kill = self._script.kill

    def ended(self) -> bool:
        return self._script.process.poll() is not None

    def check(self) -> None:
        """See that it runs.

        Raises:
            AssertionError: it has ended by itself.
        """
        if self.ended():
            self._script.wait()
            last = (self._script.text().splitlines() or ["it printed no error"])[-1]
            raise AssertionError(f"{self.peer.name} ended by itself: {last}")

    def _read(self, start, length) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(max(0, start if start >= 0 else file.seek(0, 2) + start))
            return file.read(length)

    def first_printed(self) -> bool:
        """Tell whether its first message is printed.

        Raises:
            AssertionError: as `check`.
        """
        self.check()
        return bool(numbers(self._read(0, A_BLOCK)))

    def last_number(self) -> int:
        """Return the number of the last tick that it has printed, -1 before the first.

        Raises:
            AssertionError: as `check`.
        """
        self.check()
        return (numbers(self._read(-1000, 1000)) or [-1])[-1]

    def numbers(self) -> list[int]:
        """Return the numbers of all ticks that it has printed."""
        return numbers(self.path.read_bytes())

    def age(self) -> float:
        """Return the seconds since its start."""
        return time.monotonic() - self.started

    def memory(self) -> float:
        """Return its resident memory now, in MiB."""
        return psutil.Process(self._script.process.pid).memory_info().rss / 2**20

    def cpu(self) -> float:
        """Return its seconds of processor time, its own and the kernel's for it."""
        times = psutil.Process(self._script.process.pid).cpu_times()
        return times.user + times.system
