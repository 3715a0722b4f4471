"""What was measured, as Markdown: one table for each question."""

from statistics import median

from peers.catalogue import PEERS
from peers.measuring import ENDINGS


def starts_table(peers, restarts) -> str:
    """Return how long a start takes to the first message: medians; restarts is what `restart_all` returned."""
    head = ["Start to first message (s)", "first start", *(f"after {ending}" for ending in ENDINGS)]
    rows = []
    for peer in peers:
        each = [restarts[peer, ending] for ending in ENDINGS]
        seconds = [median(found.first for found in each), *(median(found.again) for found in each)]
        rows.append([peer.name, *(f"{figure:.2f}" for figure in seconds)])
    return markdown(head, rows)


def restarts_table(peers, restarts, count) -> str:
    """Return the missing and the repeated messages; each consumer was ended `count` times in each way."""
    head = [f"Missing / repeated messages (restarts: {count})", *(f"by {ending}" for ending in ENDINGS)]
    rows = []
    for peer in peers:
        each = [restarts[peer, ending] for ending in ENDINGS]
        rows.append([peer.name, *(f"{found.missing:,} / {found.repeated:,}" for found in each)])
    return markdown(head, rows)


def catch_ups_table(catch_ups, count) -> str:
    """Return the medians of the catching up, and each rate's ratio to that of confluent-kafka's poll loop.

    Args:
        catch_ups: {peer: what `catch_up` returned, for each round}.
        count: how many messages they caught up with.
    """
    columns = ["messages/s", "ratio to confluent-kafka, poll", "peak memory (MiB)", "CPU time (s)"]
    medians = {peer: [median(figures) for figures in zip(*rounds, strict=True)] for peer, rounds in catch_ups.items()}
    poll = medians.get(PEERS["confluent-poll"], [0])[0]
    rows = []
    for peer, (rate, memory, cpu) in medians.items():
        ratio = f"{rate / poll:.2f}" if poll else "-"
        rows.append([peer.name, f"{rate:,.0f}", ratio, f"{memory:.0f}", f"{cpu:.2f}"])
    return markdown([f"Catching up with {count:,} messages", *columns], rows)


def markdown(head, rows) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
