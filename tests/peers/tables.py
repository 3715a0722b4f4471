"""What was measured, as Markdown. Everything here is pure."""

from statistics import median

from peers.restarts import total
from peers.silence import ENDINGS


def medians(runs):
    """Return the tuple of each field's median, for a list of equal NamedTuples."""
    return type(runs[0])(*(median(field) for field in zip(*runs, strict=True)))


def table(head, rows) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def silences(peers, found) -> str:
    """Return the table of the seconds to the first message."""
    rows = []
    for peer in peers:
        each = [medians(found[peer.key, ending]) for ending in ENDINGS]
        first = median(silence.first for silence in each)
        rows.append([peer.name, f"{first:.2f}", *(f"{silence.restart:.2f}" for silence in each)])
    return table(["Start to first message (s)", "first start", *(f"after {ending}" for ending in ENDINGS)], rows)


def verdicts(peers, found) -> str:
    """Return the table of the missing and the repeated messages."""
    rows = []
    for peer in peers:
        each = [total(found[peer.key, ending]) for ending in ENDINGS]
        rows.append([peer.name, *(f"{verdict.missing:,} / {verdict.repeated:,}" for verdict in each)])
    restarts = total(found[peers[0].key, next(iter(ENDINGS))]).restarts
    title = f"Missing / repeated messages (restarts: {restarts})"
    return table([title, *(f"by {ending}" for ending in ENDINGS)], rows)


def catch_ups(peers, found, count) -> str:
    """Return the table of the catching up."""
    rows = []
    for peer in peers:
        rate, memory, cpu = medians(found[peer.key])
        rows.append([peer.name, f"{rate:,.0f}" if rate else "all at once", f"{memory:.0f}", f"{cpu:.2f}"])
    return table([f"Catching up with {count:,} messages", "messages/s", "peak memory (MiB)", "CPU time (s)"], rows)


def settings(peers, left_out) -> str:
    """Return a list of what each peer is and how it is set, and of those that are left out, with the reason."""
    lines = [f"- **{peer.name}** ({peer.version}): {peer.settings}" for peer in peers]
    return "\n".join([*lines, *(f"- {reason}" for reason in left_out)])


def method(rounds, groups, rate, runs) -> str:
    """Return in words how it was measured.

    Args:
        rounds: of which the median is taken.
        groups: in which a peer is ended at the same time.
        rate: messages a second.
        runs: the shortest and the longest time before a consumer is ended, in seconds.
    """
    return (
        f"Starts and catching up: one consumer at a time, {'the median of ' if rounds > 1 else ''}{rounds} "
        f"round{'s' if rounds > 1 else ''}, but what takes over two seconds once, beside the others. "
        f"Missing and repeated: all at the same time, each in up to {groups} groups for each way of ending it; "
        f"{rate} messages a second; ended {runs[0]} to {runs[1]} s after its first message, "
        "at moments that are the same for all. Output goes to a file."
    )
