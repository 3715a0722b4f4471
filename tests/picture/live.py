"""The terminal: whether it can show a picture, and the picture, which Ctrl+Z takes away and fg brings back."""

import contextlib
import os
import signal
import sys

from rich.console import Console
from rich.live import Live

from machine.processes import suspend


def terminal() -> Console | None:
    """Return the terminal that our output is, or None if it is none or can't show a picture; get ready to print."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace", line_buffering=True)  # for a terminal that lacks a letter, and a pipe
    for name in ("COLUMNS", "LINES") if sys.stdout.isatty() else ():  # set once, they don't follow the window
        os.environ.pop(name, None)
    console = Console()
    able = console.is_terminal and console.is_interactive and not console.is_dumb_terminal
    return console if able and os.environ.get("TERM") and sys.stdout.isatty() else None


@contextlib.contextmanager
def picture(console: Console | None, resumed=lambda: None):
    """Yield a rich Live on the whole terminal, to `update`, or None where there is none.

    Ctrl+Z suspends us and what we have started, and leaves the terminal as it was; `resumed` is called when we go on.
    It never comes amid a drawing, for Live draws in a thread of its own.
    """
    live = Live(console=console, screen=True) if console else None

    def stand_aside(*_):
        if live:
            live.stop()
        suspend()
        resumed()
        if live:
            live.start(refresh=True)

    with live or contextlib.nullcontext():
        signal.signal(signal.SIGTSTP, stand_aside)
        try:
            yield live
        finally:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
