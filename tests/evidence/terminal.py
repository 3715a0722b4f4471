"""Running a command in a terminal, and seeing what a person sees there."""

import os
import pty
import re
import signal
import subprocess
import threading
from contextlib import suppress

import pyte

from machine.waiting import wait_until


class Terminal:
    """A command in a terminal of 80 columns and 24 lines, as a context manager that ends it.

    Args:
        command: as a list.
        settings: more of its environment.

    Attributes:
        written: all bytes that it has written so far.
    """

    def __init__(self, command, **settings):
        self.written, self._screen = b"", pyte.Screen(80, 24)
        self._ours, theirs = pty.openpty()
        size = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **size, **settings}
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def _read(self):
        stream = pyte.ByteStream(self._screen)
        with suppress(OSError):  # Linux says so when the other side is closed
            while data := os.read(self._ours, 65536):
                self.written += data
                stream.feed(data)
        os.close(self._ours)

    def shows(self, pattern):
        """Return the match of a regular expression in what the screen shows, waiting for it as `wait_until` does."""
        return wait_until(lambda: re.search(pattern, "\n".join(self._screen.display), re.MULTILINE))

    def interrupt(self) -> int:
        """End it with Ctrl+C; return its exit status."""
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(30)
        self._reader.join(10)
        return status
