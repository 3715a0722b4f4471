"""Processes of this machine: the one place that knows how an operating system sees them."""

import ctypes
import os
import signal
import subprocess
import sys
import termios
import time
import weakref

_started, _suspended = weakref.WeakSet(), [0.0]  # the processes of `start`; the seconds that `now` leaves out


def on_ending(end) -> None:
    """Have Ctrl+C, SIGTERM and the end of the terminal call end(status), once: a second one must not disturb the end.

    The status is what shells expect, 128 and the signal's number. The end of the terminal stays ignored under nohup.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    numbers += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []

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
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **more, **how)
    _started.add(process)
    return process


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # prctl(2); 1 is PR_SET_PDEATHSIG; a suspended one heeds nothing else


def now() -> float:
    """Return the seconds of time.monotonic(), but for those in which `suspend` had this process suspended."""
    return time.monotonic() - _suspended[0]


def suspend() -> None:
    """Suspend this process, and what it has started, until the shell lets it go on in the foreground."""
    began, handler = time.monotonic(), signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    for process in list(_started):
        process.send_signal(signal.SIGSTOP)  # unless it has ended
    try:
        signal.raise_signal(signal.SIGTSTP)
        if sys.stdout.isatty():  # in the background, as after `bg`, this suspends it again
            termios.tcsetattr(sys.stdout, termios.TCSADRAIN, termios.tcgetattr(sys.stdout))
    finally:
        signal.signal(signal.SIGTSTP, handler)
        _suspended[0] += time.monotonic() - began
        for process in list(_started):
            process.send_signal(signal.SIGCONT)


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
