"""What was measured, as Markdown: one table for each question."""

from statistics import median

from peers.catalogue import PEERS
from peers.measuring import ENDINGS


def tables(restarts, count, catch_ups, messages) -> list[str]:
    """Return three tables: start to first message, missing and repeated messages, catching up. Figures are medians.

    Args:
        restarts: what `restart_all` returned.
        count: how often each was restarted in each way.
        catch_ups: {peer: what `catch_up` returned, for each round}.
        messages: how many they caught up with.
    """
    medians = {peer: [median(figures) for figures in zip(*rounds, strict=True)] for peer, rounds in catch_ups.items()}
    poll = medians.get(PEERS["confluent-poll"], [None])[0]
    starts, verdicts, rates = [], [], []
    for peer, (rate, memory, cpu) in medians.items():
        each = [restarts[peer, ending] for ending in ENDINGS]
        first, again, missing, repeated = zip(*each, strict=True)
        starts.append([peer.name, *(f"{median(seconds):.2f}" for seconds in (first, *again))])
        verdicts.append([peer.name, *(f"{pair[0]:,} / {pair[1]:,}" for pair in zip(missing, repeated, strict=True))])
        ratio = f"{rate / poll:.2f}" if poll else "-"
        rates.append([peer.name, f"{rate:,.0f}", ratio, f"{memory:.0f}", f"{cpu:.2f}"])
    columns = ["messages/s", "ratio to confluent-kafka, poll", "peak memory (MiB)", "CPU time (s)"]
    return [
        table("Start to first message (s)", ["first start", *(f"after {ending}" for ending in ENDINGS)], starts),
        table(f"Missing / repeated messages (restarts: {count})", [f"by {ending}" for ending in ENDINGS], verdicts),
        table(f"Catching up with {messages:,} messages", columns, rates),
    ]


def table(title, columns, rows) -> str:
    """Return a Markdown table; the first cell of a row is text, the others are figures."""
    lines = [[title, *columns], ["---", *["---:"] * len(columns)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
