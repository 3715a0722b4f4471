"""Waiting for something to become true: for a limited time, never by sleeping and hoping."""

import time

from machine.processes import now


class Overdue(AssertionError):
    """What was waited for has not come, and the message says what came instead."""


def wait_until(what, ask, wanted=bool, limit=60, every=0.1):
    """Return ask()'s first answer that is wanted: wait_until("the group to be empty", lambda: kafka.members("g"), 0).

    Args:
        what: the end of the sentence "Waited 60 s for …".
        ask: may raise an error, which ends the waiting.
        wanted: the answer itself, or a function that says if an answer will do. By default, any true one.
        limit: in seconds.
        every: the seconds between two questions.

    Raises:
        Overdue: no wanted answer came in time. It shows the last one.
    """
    deadline = now() + limit
    while not will_do(wanted, answer := ask()):
        if now() > deadline:
            raise Overdue(f"Waited {limit} s for {what}; last seen: {str(answer)[:2000]}")
        time.sleep(every)
    return answer


def will_do(wanted, answer) -> bool:
    """Tell whether this is a wanted answer, as `wait_until` has it."""
    return wanted(answer) if callable(wanted) else answer == wanted
