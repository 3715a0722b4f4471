"""See your own run: a live picture of what is in Kafka now, in a terminal beside the scripts'.

    python tests/watch.py     on a terminal a live picture, otherwise (pipe, file) what happens as plain lines

A lane for each partition shows its log: the offsets that are kept, those that are deleted, the end; on it, for each
group, its committed offset and its lag, which member holds the partition, and whether the lag grows or drains. Below
stands what has happened, with its time. It only looks: it joins no group, commits nothing and creates no topic.

Settings, from the environment, as for the scripts: KAFKA_BOOTSTRAP_SERVERS (default: 127.0.0.1:9092) and KAFKA_TOPIC
(default: stock-market); of the topic's groups it shows all. Ctrl+C ends it.
"""

# ruff: noqa: E402 - the first lines set what Ctrl+C does while the rest is imported
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import contextlib
import itertools
import logging
import os
import socket
import ssl
import sys
import time
from collections import deque
from urllib.parse import urlsplit

from kafka.errors import KafkaError

from evidence.happenings import Chronicle, clock
from evidence.snapshot import Snapshot
from machine.processes import on_ending
from picture.lanes import GroupView, Lane, visible
from picture.live import picture, terminal
from picture.screen import Panel, Screen
from real_kafka.client import Kafka

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
TOPIC = os.environ.get("KAFKA_TOPIC", "stock-market")
EVERY = 0.5  # seconds from one snapshot to the next
SILENT = 3  # seconds that Kafka may take to answer, without a word
FOR_EVER = 24 * 60 * 60  # seconds
COLOURS = ("green", "yellow", "cyan", "magenta", "blue")


def screen(snapshot, chronicle, news) -> Screen:
    """Return the picture, with the lanes as they were when Kafka last answered."""
    drawn = []
    for number, log in sorted(snapshot.logs.items()):
        views = [
            GroupView(name, group.committed.get(number), style=colour, note=chronicle.note(name, number))
            for (name, group), colour in zip(sorted(snapshot.groups.items()), itertools.cycle(COLOURS), strict=False)
        ]
        seen = f", as last seen at {clock(snapshot.at)}" if chronicle.away else ""
        drawn.append(Lane(f"{TOPIC}-{number}{seen}", log, views))
    panels, keys = [Panel("what has happened", list(news))], [("Ctrl+C: end", "")]
    return Screen(f"topic {TOPIC} at {SERVERS}", drawn, panels, state=chronicle.away, keys=keys)


def silence_in_words() -> str:
    """Say why nobody answers at the first address; "" if somebody answers there."""
    first, tls = SERVERS.partition(",")[0], ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # to see if it speaks TLS; nothing is sent
    try:
        address = urlsplit(f"//{first}")
        with socket.create_connection((address.hostname, address.port or 9092), SILENT) as connection:
            tls.wrap_socket(connection).close()
    except (ssl.SSLError, ConnectionResetError) as error:
        if "ALERT" not in str(error):  # an alert is TLS, too
            return ""
    except (OSError, ValueError) as error:
        return f"{first}: {'no answer in time' if isinstance(error, TimeoutError) else error}."
    return f"{first} wants TLS; the watch uses none."


def watch(shown) -> None:
    """Ask Kafka again and again. Tell what it says in the Live picture, or in plain lines if `shown` is None."""
    kafka, chronicle, news = Kafka(SERVERS, timeout_ms=4000), Chronicle(TOPIC), deque(maxlen=200)
    snapshot = Snapshot(0)
    while True:
        try:
            # If Kafka does not answer, wait until it is time to say so, and then for as long as it takes.
            snapshot = kafka.snapshot(TOPIC, patience=FOR_EVER if chronicle.away else SILENT)
            lines = chronicle.see(snapshot)
        except KafkaError as error:
            lines = chronicle.no_figures(time.time(), error, reason="" if chronicle.away else silence_in_words())
        news.extend(lines)
        if shown:
            shown.update(screen(snapshot, chronicle, news))
        for text, _ in lines if not shown else ():
            print(visible(text))
        time.sleep(EVERY)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)  # the watch itself tells of an outage
    on_ending(lambda _: sys.exit())
    with contextlib.suppress(BrokenPipeError), picture(terminal()) as shown:  # if the reader is gone, as after `| head`
        watch(shown)
    os._exit(0)  # do not try to write to a reader that is gone


if __name__ == "__main__":
    main()
