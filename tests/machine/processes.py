"""Processes of this machine: the one place that knows how an operating system sees them."""

import ctypes
import os
import signal
import subprocess
import sys


def on_ending(end) -> None:
    """Have Ctrl+C, SIGTERM and the end of the terminal call end(status), once: a second one must not disturb the end.

    The status is what shells expect, 128 and the signal's number. Where nothing else is said, `end` is sys.exit.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def handler(number, _frame):
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        end(128 + number)

    for number in numbers:
        signal.signal(number, handler)


def start(command, **how) -> subprocess.Popen:
    """Start a process that ends with the thread that started it, on Linux, kill -9 included.

    It has a session of its own: a Ctrl+C in our terminal is for us, and we pass on what it should get.

    Args:
        command: as a list.
        how: as subprocess.Popen has it.
    """
    more = {"preexec_fn": _die_with_parent} if sys.platform == "linux" else {}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **more, **how)


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # prctl(2); 1 is PR_SET_PDEATHSIG


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
