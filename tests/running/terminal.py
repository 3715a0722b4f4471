"""Run a command in a terminal, and see what a person sees there."""

import contextlib
import os
import re

import pexpect
import pyte

from machine.waiting import wait_until

COLUMNS, ROWS = 80, 24


class Terminal:
    """A command in a terminal of 80 columns and 24 rows, as a context manager that ends it.

    The command is a list, and the settings are more environment variables. Its output is read only while a method
    waits. If it writes more than a terminal holds, it waits, too. `written` has all bytes that were read so far.
    """

    def __init__(self, command, **settings):
        self.written, self._screen = b"", pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        environment = {**os.environ, "TERM": "xterm-256color", **settings}
        self._process = pexpect.spawn(command[0], command[1:], env=environment, dimensions=(ROWS, COLUMNS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.close(force=True)

    def _has_ended(self) -> bool:
        """Read what is new, and tell whether that was the end."""
        with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF):
            data = self._process.read_nonblocking(65536, timeout=0)
            self.written += data
            self._stream.feed(data)
        return self._process.flag_eof

    def shows(self, pattern, limit=60):
        """Return the match of a regular expression in what the screen shows; wait for it as `wait_until` does."""
        search = re.compile(pattern, re.MULTILINE).search

        def screen():
            self._has_ended()
            return "\n".join(["", *map(str.rstrip, self._screen.display)])

        return search(wait_until(f"{pattern!r} on the screen", screen, search, limit))

    def type(self, keys):
        self._process.send(keys)

    def interrupt(self) -> int:
        """End it with Ctrl+C, and return its exit status."""
        self._process.sendintr()
        return self.ends()

    def ends(self) -> int:
        """Return its exit status when it has ended."""
        wait_until("the end of its output", self._has_ended)
        return self._process.wait()
