"""This machine's processes and signals: the one place that knows how the operating system sees them."""

import ctypes
import signal
import subprocess
import sys
import termios
import time
import weakref

_started, _suspended = weakref.WeakSet(), [0.0]  # the processes of `start`; the seconds that `now` leaves out


def on_ending(end) -> None:
    """Call end(status) on Ctrl+C, on SIGTERM or when the terminal closes, but only once: nothing disturbs the end.

    The status is what shells expect: 128 plus the signal's number. Under nohup, the closing terminal stays ignored.
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
    """Start a command, a list, with more arguments of subprocess.Popen.

    On Linux, the process ends with the thread that started it, even if that is killed with kill -9. It has a session of
    its own, so Ctrl+C in our terminal reaches only us. We pass on the signals that it should get.
    """
    more = {"preexec_fn": _die_with_parent} if sys.platform == "linux" else {}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **more, **how)
    _started.add(process)
    return process


def _die_with_parent():
    # prctl(2), 1 is PR_SET_PDEATHSIG. It must be SIGKILL: a suspended process reacts to nothing else.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def now() -> float:
    """Return time.monotonic(), in seconds, without the time for which `suspend` suspended this process."""
    return time.monotonic() - _suspended[0]


def suspend() -> None:
    """Suspend this process and everything it started, until the shell continues it in the foreground."""
    began, handler = time.monotonic(), signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    for process in list(_started):
        process.send_signal(signal.SIGSTOP)  # does nothing if it has ended
    try:
        signal.raise_signal(signal.SIGTSTP)
        if sys.stdout.isatty():  # in the background, as after `bg`, this suspends us again
            termios.tcsetattr(sys.stdout, termios.TCSADRAIN, termios.tcgetattr(sys.stdout))
    finally:
        signal.signal(signal.SIGTSTP, handler)
        _suspended[0] += time.monotonic() - began
        for process in list(_started):
            process.send_signal(signal.SIGCONT)


def commands_with(text) -> list[str]:
    """Return the command lines of all running processes that have `text` in them or in their environment.

    This process and its ancestors are left out.
    """
    import psutil  # noqa: PLC0415 - only the tests call this, and only they have psutil

    us = [psutil.Process(), *psutil.Process().parents()]
    others = [process for process in psutil.process_iter(["cmdline", "environ"]) if process not in us]
    return [" ".join(process.info["cmdline"] or []) for process in others if text in str(process.info)]
