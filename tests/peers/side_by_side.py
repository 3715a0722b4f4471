"""Stories that are told side by side: each is a generator, and yields while it waits.

One thread tells them all, so that Ctrl+C ends them in order: a story's `finally` kills what it has started.
"""

import time


def until(condition, limit):
    """Yield until condition() is true.

    Raises:
        AssertionError: it is not true after `limit` seconds.
    """
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not so after {limit} s: {condition}"
        yield


def pause(seconds):
    """Yield for so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield


def after(seconds, story):
    """Tell a story after so many seconds."""
    yield from pause(seconds)
    yield from story


class Stories:
    """Stories that have begun and not come to their ends; a context manager that closes those on exit."""

    def __init__(self):
        self._left = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for story in self._left:
            story.close()

    def _look(self) -> None:
        """Let each story go on if it can."""
        for story in list(self._left):
            if next(story, "the end") == "the end":
                self._left.remove(story)

    def tell(self, story, patience) -> bool:
        """Add a story and wait for its end, for `patience` seconds at most; tell whether it has ended.

        If not, it goes on beside the others.
        """
        self._left.append(story)
        deadline = time.monotonic() + patience
        while story in self._left and time.monotonic() < deadline:
            self._look()
            time.sleep(0.003)
        return story not in self._left

    def tell_all(self, stories, meanwhile) -> None:
        """Add stories and wait for the ends of all; now and then call meanwhile(how many are left)."""
        self._left += stories
        while self._left:
            self._look()
            meanwhile(len(self._left))
            time.sleep(0.02)
