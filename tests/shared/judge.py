"""What a consumer printed, compared with what the topic has."""

from collections import Counter

from shared.lines import Message


def missing_and_repeated(stored, received) -> tuple[list[Message], list[Message]]:
    """Compare what the topic has with what a consumer printed; return what it did not print and what it printed again."""
    printed = Counter(received)
    return [m for m in stored if m not in printed], [m for m, times in printed.items() if times > 1]
