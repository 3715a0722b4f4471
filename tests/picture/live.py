"""The terminal: whether it can show a picture, the picture, Ctrl+Z, and the keys that are pressed."""

import contextlib
import os
import re
import select
import signal
import sys
import termios
import tty

from rich.console import Console
from rich.live import Live

from machine.processes import suspend


def terminal() -> Console | None:
    """Return the terminal that we write to; None if it cannot show a picture, or is none. Get the streams ready."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace", line_buffering=True)  # not every terminal can show every character
    for name in ("COLUMNS", "LINES") if sys.stdout.isatty() else ():  # they would keep the size that the window had
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
    keyboard = termios.tcgetattr(sys.stdin) if live and sys.stdin.isatty() else None

    def begin():
        if keyboard:
            tty.setcbreak(sys.stdin, termios.TCSADRAIN)  # each key at once, and not echoed; Ctrl+C is still a signal
        if live:
            live.start(refresh=True)

    def end():
        if live:
            live.stop()
        if keyboard:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, keyboard)

    def stand_aside(*_):
        end()
        suspend()
        resumed()
        begin()

    begin()
    signal.signal(signal.SIGTSTP, stand_aside)
    try:
        yield live
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        end()


def typed(patience: float = 0) -> str:
    """Return the keys pressed since the last call. If there are none, wait for one, for `patience` seconds at most.

    Keys that send several characters, such as the arrows, are left out.
    """
    able = sys.stdin.isatty() and select.select([sys.stdin], [], [], patience)[0]
    text = os.read(sys.stdin.fileno(), 4096).decode(errors="replace") if able else ""
    return re.sub(r"\x1b(\[[0-9;]*.|O.)?", "", text)
