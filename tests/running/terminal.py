"""Running a command in a terminal, and seeing what a person sees there."""

import os
import re

import pexpect
import pyte

from machine.waiting import wait_until

COLUMNS, ROWS = 80, 24


class Terminal:
    """A command in a terminal of 80 columns and 24 lines, as a context manager that ends it.

    It is read whenever something is asked, and waits meanwhile if it writes more than a terminal holds.

    Args:
        command: as a list.
        settings: more of its environment.

    Attributes:
        written: all bytes that were read so far.
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

    def _take_in(self) -> bool:
        """Take in what it has written since; return whether more may come."""
        try:
            data = self._process.read_nonblocking(65536, timeout=0)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += data
        self._stream.feed(data)
        return True

    def shows(self, pattern, limit=60):
        """Return the match of a regular expression in what the screen shows, waiting for it as `wait_until` does."""
        search = re.compile(pattern, re.MULTILINE).search

        def screen():
            self._take_in()
            return "\n".join(["", *map(str.rstrip, self._screen.display)])

        return search(wait_until(f"{pattern!r} on the screen", screen, search, limit))

    def type(self, keys):
        self._process.send(keys)

    def interrupt(self) -> int:
        """End it with Ctrl+C; return its exit status."""
        self._process.sendintr()
        return self.ends()

    def ends(self) -> int:
        """Return its exit status when it has ended."""
        wait_until("the end of its output", self._take_in, False)
        return self._process.wait()
