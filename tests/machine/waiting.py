"""Waiting for something to become true: for a limited time, never by sleeping and hoping."""

import time

from machine.processes import now


class Overdue(AssertionError):
    """It has not become true in time."""


def wait_until(condition, limit=60, every=0.1):
    """Return condition()'s first true value.

    Args:
        condition: raises what ends the waiting at once, if there is nothing to wait for any more.
        limit: in seconds.
        every: the seconds between two questions.

    Raises:
        Overdue: it is not true after `limit` seconds.
    """
    deadline = now() + limit
    while not (result := condition()):
        if now() > deadline:
            raise Overdue(f"not so after {limit} s: {condition}")
        time.sleep(every)
    return result
