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
import os
import sys
import threading

from local_kafka.processes import on_ending

stopped = threading.Event()


def stop(_number, _frame):
    if stopped.is_set() or "rich.live" not in sys.modules:  # the second time, or nothing is shown yet
        os._exit(0)
    stopped.set()


on_ending(stop)

import argparse
import contextlib
import logging
import queue
import re
import select
import time
from collections import deque

from kafka.errors import KafkaError
from rich.console import Console
from rich.live import Live

from sight.happenings import Happening, Story, clock
from sight.observer import REFUSALS, Looks, Observer
from sight.picture import GroupView, Lane, PartitionView, Screen, table, visible

LOOK_EVERY = 0.5  # seconds; a look is seven small requests
SILENT = 3  # seconds without a look: Kafka does not answer
STYLES = {"bad": "bold red", "good": "green", "quiet": "dim", "": ""}
COLOURS = ("green", "yellow", "cyan", "magenta", "blue")


def lanes(story) -> list[Lane]:
    """Return a lane for each partition of the latest look, the one that moved last first."""
    look = story.last
    if look is None:
        return []
    by_number = [lane(story, look, number) for number in sorted(look.logs)]
    stirred = {number: story.stirred.get(number, 0) // 10 for number in look.logs}  # so that they don't jump
    return sorted(by_number, key=lambda lane: (-stirred[lane.partition.number], lane.partition.number))


def lane(story, look, number) -> Lane:
    log = look.logs[number]
    groups = []
    for place, (name, group) in enumerate(sorted(look.groups.items())):
        holder = group.holder(number) or story.member(name, number)
        groups.append(
            GroupView(
                name,
                group.committed.get(number),
                story.trend(name, number),
                holder and holder.client_id,
                "not told" if group.members is None else group.state,
                COLOURS[place % len(COLOURS)],
                aside=story.forgotten(name, number),
            )
        )
    return Lane(PartitionView(story.topic, number, log.first, log.end), groups)


def screen(story, news, options) -> Screen:
    state = ""
    if story.away:
        state = "Kafka does not answer"
    elif story.last is None:
        state = "looking for Kafka"
    elif not story.last.logs:
        state = "the topic does not exist"
    return Screen(f"topic {options.topic} at {options.bootstrap_servers}", state, lanes(story), list(news))


def news_of(story, looks, last_answer) -> list[Happening]:
    """Return what has happened since, waiting up to a quarter of a second for it."""
    try:
        answer = looks.news.get(timeout=0.25)
    except queue.Empty:
        return story.silence(time.time()) if time.monotonic() > last_answer[0] + SILENT else []
    last_answer[0] = time.monotonic()
    if isinstance(answer, KafkaError):
        return story.refusal(time.time(), type(answer).__name__)
    return story.see(answer)


def follow(options, looks, tell) -> None:
    """Pass on what happens until Ctrl+C, a closed terminal or a reader that is gone ends it."""
    story, last_answer = Story(options.topic, options.bootstrap_servers), [time.monotonic()]
    while not stopped.is_set() and not reader_is_gone():
        tell(story, news_of(story, looks, last_answer))


def reader_is_gone() -> bool:
    """Return whether nobody reads our output any more, as after `| head -n 1`."""
    if not hasattr(select, "poll"):  # Windows
        return False
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


def live(options, looks) -> None:
    """Show the picture until the end; the terminal is then as it was."""
    console, news = Console(), deque(maxlen=200)
    with Live(console=console, screen=True, auto_refresh=False) as shown:

        def tell(story, happenings):
            news.extend((clock(h.at), h.text, STYLES[h.mood]) for h in happenings)
            shown.update(screen(story, news, options), refresh=True)

        follow(options, looks, tell)


def plain(options, looks) -> None:
    def tell(_story, happenings):
        for happening in happenings:
            print(f"{clock(happening.at)}  {visible(happening.text)}", flush=True)

    follow(options, looks, tell)


def once(options) -> int:
    """Print a table of what Kafka has now; return the exit status."""
    observer = Observer(options.bootstrap_servers, options.topic, options.group, patience_ms=5000)
    try:
        look = observer.look()
    except KafkaError as error:
        where = f"{options.bootstrap_servers}: no Kafka answers there. Start it, or correct the address."
        refused = isinstance(error, REFUSALS)
        return complain(f"Kafka refuses to tell: {type(error).__name__}." if refused else where)
    if not look.logs:
        return complain(f"Topic {options.topic} does not exist.")
    story = Story(options.topic, options.bootstrap_servers)
    story.see(look)
    shown = sorted(lanes(story), key=lambda lane: lane.partition.number)
    print("\n".join(table(shown)), flush=True)
    return 0


def complain(line) -> int:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"watch.py: {line}", file=sys.stderr, flush=True)
    return 1


def matching(pattern, hint):
    """Return a type for argparse: text that the regular expression matches."""

    def check(text):
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} can't be used: write {hint}")
        return text

    return check


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    environment = os.environ.get
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        type=matching(r"[^\s/,]+:\d{1,5}(,[^\s/,]+:\d{1,5})*", "host:port, as in 127.0.0.1:9092"),
        default=environment("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
        help="where Kafka listens",
    )
    parser.add_argument(
        "--topic",
        type=matching(r"(?!\.\.?$)[a-zA-Z0-9._-]{1,249}", "letters, digits, dots, _ or -"),
        default=environment("KAFKA_TOPIC", "stock-market"),
        help="the topic to watch",
    )
    parser.add_argument("--group", action="append", help="a group to watch, and no others; may be repeated")
    parser.add_argument("--once", action="store_true", help="print one table and end")
    options = parser.parse_args()
    if options.group is None:
        options.group = [environment("KAFKA_GROUP_ID")] if environment("KAFKA_GROUP_ID") else []
    return options


def main() -> int:
    options = arguments()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # for a terminal that lacks a letter
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)  # what it says of an outage is told here
    if options.once:
        return once(options)
    looks = Looks(Observer(options.bootstrap_servers, options.topic, options.group), LOOK_EVERY)
    looks.start()
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    (live if on_terminal else plain)(options, looks)
    return 0


if __name__ == "__main__":
    status = 0
    with contextlib.suppress(BrokenPipeError):  # the reader is gone
        status = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)  # not a second later: a look that is under way is not waited for
