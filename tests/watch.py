"""See your own run: a live picture of what is in Kafka now, in a terminal beside the scripts'.

    python tests/watch.py          on a terminal a live picture, otherwise (pipe, file) what happens as plain lines
    python tests/watch.py --once   print one table of what Kafka has now, and end

A lane for each partition shows its log: the offsets that are kept, those that are deleted, the end; on it, for each
group, its committed offset and its lag, which member holds the partition, and whether the lag grows or drains. Below
stands what has happened, with its time. It only looks: it joins no group, commits nothing and creates no topic.

Settings, from the options or, as for the scripts, from the environment: KAFKA_BOOTSTRAP_SERVERS (default:
127.0.0.1:9092), KAFKA_TOPIC (default: stock-market), KAFKA_GROUP_ID (default: all groups of the topic).
Ctrl+C ends it.
"""

# ruff: noqa: E402 - the first lines set what Ctrl+C does while the rest is imported
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import contextlib
import functools
import itertools
import logging
import os
import sys
import time
from collections import deque

from kafka.errors import KafkaError
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from evidence.kafka_itself import Kafka
from evidence.snapshot import Group
from machine.processes import on_ending
from sight.happenings import Chronicle, failing
from sight.lanes import GroupView, Lane, visible
from sight.screen import Panel, Screen

EVERY = 0.5  # seconds from one snapshot to the next
SILENT = 3  # seconds without an answer until that is told
FOR_EVER = 24 * 60 * 60  # seconds; then it goes on
WHOLE_ROWS = 2000  # columns for the table: Kafka's names may have 249 letters, and programs want all of them
COLOURS = ("green", "yellow", "cyan", "magenta", "blue")


def lanes(chronicle) -> list[Lane]:
    """Return a lane for each partition, as it was when Kafka answered last."""
    drawn, groups = [], sorted(chronicle.last.groups.items())
    for number, log in sorted(chronicle.last.logs.items()):
        views = [
            GroupView(name, group.committed.get(number), style=colour, note=chronicle.note(name, number))
            for (name, group), colour in zip(groups, itertools.cycle(COLOURS), strict=False)
        ]
        drawn.append(Lane(f"{chronicle.topic}-{number}", log, views))
    return drawn


def table_of(topic, snapshot) -> Table:
    """Return what Kafka has of all partitions and groups, a row each, for programs too."""
    table = Table(box=None, pad_edge=False, header_style="")
    for title in ("PARTITION", "FIRST", "END", "GROUP", "COMMITTED", "LAG", "MEMBER"):
        table.add_column(title, justify="right" if title in ("FIRST", "END", "COMMITTED", "LAG") else "left")
    for number, log in sorted(snapshot.logs.items()):
        for name, group in sorted(snapshot.groups.items()) or [("-", Group())]:
            committed = group.committed.get(number)
            figures = ("-", "-") if committed is None else (committed, log.lag(committed))
            cells = (f"{topic}-{number}", *log, name, *figures, group.holder(number) or "-")
            table.add_row(*(Text(visible(str(cell))) for cell in cells))
    return table


def screen(chronicle, news) -> Screen:
    return Screen(
        f"topic {chronicle.topic} at {chronicle.servers}",
        lanes(chronicle) if chronicle.last else [],
        [[Panel("what has happened", list(news))]],
        state=f"Kafka {chronicle.away}" if chronicle.away else "",
    )


def follow(chronicle, ask):
    """Yield the lines that tell what each Snapshot has found, for ever."""
    while True:
        try:
            # Where no Kafka is, wait until that has to be told, and after that for as long as it takes.
            lines = chronicle.see(ask(FOR_EVER if chronicle.away else SILENT))
        except KafkaError as error:
            lines = chronicle.no_figures(time.time(), error)
        yield lines
        time.sleep(EVERY)


def live(chronicle, ask) -> None:
    """Show the picture until Ctrl+C; the terminal is then as it was."""
    news = deque(maxlen=200)
    with Live(screen(chronicle, news), console=Console(), screen=True) as shown:
        for lines in follow(chronicle, ask):
            news.extend(lines)
            shown.update(screen(chronicle, news))


def plain(chronicle, ask) -> None:
    for lines in follow(chronicle, ask):
        for text, _ in lines:
            print(visible(text), flush=True)


def once(chronicle, ask) -> None:
    """Print a table of what Kafka has now.

    Raises:
        SystemExit: there is none; it says why.
    """
    try:
        snapshot = ask(SILENT)
    except KafkaError as error:
        what = f"Kafka at {chronicle.servers} {failing(error)}"
        sys.exit(f"watch.py: {what}. Start it, or correct the address or the topic.")
    if not snapshot.logs:
        sys.exit(f"watch.py: Topic {chronicle.topic} does not exist.")
    Console(width=WHOLE_ROWS).print(table_of(chronicle.topic, snapshot))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    parser.add_argument("--bootstrap-servers", metavar="HOST:PORT", default=servers)
    parser.add_argument("--topic", default=os.environ.get("KAFKA_TOPIC", "stock-market"))
    parser.add_argument("--group", action="append", help="a group to watch, and no others; may be repeated")
    parser.add_argument("--once", action="store_true", help="print one table and end")
    options = parser.parse_args()
    groups = options.group or list(filter(None, [os.environ.get("KAFKA_GROUP_ID")])) or None
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # for a terminal that lacks a letter
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)  # what it says of an outage is told here
    on_ending(lambda _: sys.exit())
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    tell = once if options.once else live if on_terminal else plain
    kafka = Kafka(options.bootstrap_servers, timeout_ms=4000)
    chronicle = Chronicle(options.topic, options.bootstrap_servers)
    with contextlib.suppress(BrokenPipeError):  # the reader is gone, as in `| head`
        tell(chronicle, functools.partial(kafka.snapshot, options.topic, groups))
    os._exit(0)  # without another try to write to a reader that is gone


if __name__ == "__main__":
    main()
