"""Wait for a condition, for a limited time. Never sleep and hope."""

import time

from machine.processes import now


class Overdue(AssertionError):
    """The condition did not come true. The message says what came instead."""


def wait_until(what, ask, wanted=bool, limit=60, *, every=0.1, is_over=lambda: False):  # noqa: PLR0913 - four have defaults
    """Return the first answer of ask() that is wanted: wait_until("the group to be empty", lambda: members("g"), 0).

    Raise Overdue, with the last answer, if none came in time. An error in ask() ends the waiting, too.

    Args:
        what: the end of the sentence "Waited 60 s for …".
        wanted: the answer itself, or a function that tells whether an answer will do. By default, any true one.
        limit, every: how long to wait, and to sleep between two questions, in seconds.
        is_over: tells when to ask one last time, even before the limit.
    """
    began = now()
    while True:
        is_last = now() > began + limit or is_over()
        answer = ask()
        if wanted(answer) if callable(wanted) else answer == wanted:
            return answer
        if is_last:
            raise Overdue(f"Waited {now() - began:.1f} s for {what}; last seen: {str(answer)[:2000]}")
        time.sleep(every)
