"""Waiting for something to become true: for a limited time, never by sleeping and hoping."""

import time


def wait_until(condition, limit=60, every=0.1):
    """Return condition()'s first true value.

    Raises:
        AssertionError: it is not true after `limit` seconds.
    """
    deadline = time.monotonic() + limit
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {limit} s: {condition}")
        time.sleep(every)
    return result
