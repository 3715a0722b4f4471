"""Processes of this machine: the one place that knows how an operating system sees them."""

import ctypes
import signal


def die_with_parent() -> None:
    """Have Linux end the broker when the thread that started it is gone, kill -9 included (prctl(2))."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 is PR_SET_PDEATHSIG
