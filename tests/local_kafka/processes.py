"""Processes of this machine: the one place that knows how an operating system sees them."""

import ctypes
import os
import re
import signal
from pathlib import Path

# What ends a command in order. SIGHUP: its terminal is closed.
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def on_ending(handler) -> None:
    """Have Ctrl+C, SIGTERM and the end of the terminal call handler(number, frame)."""
    for number in ENDING:
        signal.signal(number, handler)


def exit_on_ending(status=None) -> None:
    """Have them raise SystemExit, and no second one: a Ctrl+C in the midst of the end must not leave half of it.

    Args:
        status: the exit status; by default what shells expect, 128 and the signal's number.
    """

    def leave(number, _frame):
        on_ending(signal.SIG_IGN)
        raise SystemExit(128 + number if status is None else status)

    on_ending(leave)


def die_with_parent() -> None:
    """Have Linux end the broker when the thread that started it is gone, kill -9 included (prctl(2))."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 is PR_SET_PDEATHSIG


def commands_with(text) -> list[str]:
    """Return the command lines of the running processes that name `text` there or in their environment.

    This process and those it descends from are not among them.
    """
    import psutil  # noqa: PLC0415 - the tests alone ask, and have it

    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):  # None for those that are not ours
        command, environment = process.info["cmdline"] or [], process.info["environ"] or {}
        if process.pid not in ours and any(text in word for word in [*command, *environment.values()]):
            found.append(" ".join(command))
    return found


def catches(pid, number) -> bool:
    """Tell whether a process has a handler for this signal. psutil cannot tell, so it needs Linux.

    Python itself sets one for SIGINT before it runs a script, but none for SIGTERM.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return bool(caught >> (number - 1) & 1)
