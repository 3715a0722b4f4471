# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Send a stock tick to a Kafka topic every two seconds; print each when Kafka has acknowledged it.

No tick is dropped: one that can't be delivered is kept and tried again, however long Kafka is
away, before the next is made. Ctrl+C waits for the acknowledgement that is due; if it does not come
within seconds, the last line names the tick that may not be stored. A second Ctrl+C ends the script
at once.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster
                           (default: 127.0.0.1:9092)
  KAFKA_TOPIC              the topic to send to (default: stock-market)
  SEND_INTERVAL_SECONDS    the seconds from one tick to the next (default: 2)
"""

import signal

# Before the other imports, for they take a while: Ctrl+C just ends a script with nothing to save.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import json
import os
import random
import re
import sys
import time

from kafka import KafkaAdminClient, KafkaProducer, errors

NAME = "Broker1"  # a stock broker, as in the Node original
CLIENT_ID = "producer1"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
TOPIC = os.environ.get("KAFKA_TOPIC", "stock-market")
SEND_INTERVAL_SECONDS = os.environ.get("SEND_INTERVAL_SECONDS", "2")
FOR_EVER_MS = 2**31 - 1  # the longest time that Kafka's settings can name: 25 days
ANSWER_MS = 4000  # how long to wait for Kafka's answer before saying that it does not come
KAFKA_WAS_WIPED = (errors.OutOfOrderSequenceNumberError, errors.UnknownProducerIdError)
KAFKA_AWAY = "Kafka does not answer: keeping the tick and waiting for it."
TOPIC_MISSING = f"Topic {TOPIC} does not exist: waiting for it to be created."


def main():
    read_arguments()
    check_settings()
    producer, admin = connect_producer(), connect_admin()
    stop, outage = Stop(), Outage(admin)
    interval = float(SEND_INTERVAL_SECONDS)
    acknowledged = 0
    due = time.monotonic()
    while not stop.asked:
        tick = make_tick()
        stored = deliver(producer, tick, stop, outage)
        say(f"Sent: {tick} (partition {stored.partition}, offset {stored.offset})")
        acknowledged += 1
        due = max(due + interval, time.monotonic())
        wait_until(due, stop)
    say(f"Stopped. Ticks sent and acknowledged: {acknowledged}.")
    producer.close(timeout=ANSWER_MS / 1000)


def read_arguments():
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__.strip())
        sys.exit()
    if sys.argv[1:]:
        die(f"Unknown argument {sys.argv[1]!r}: settings come from the environment, see --help.")


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # at once: what stdout could not take is not tried again, no thread is waited for


def check_settings():
    address = r"[^\s/,]+:\d+(,[^\s/,]+:\d+)*"
    topic = r"(?!\.\.?$)[a-zA-Z0-9._-]{1,249}"
    seconds = r"\d{1,5}(\.\d*)?|\.\d+"
    check_setting("KAFKA_BOOTSTRAP_SERVERS", BOOTSTRAP_SERVERS, address, "host:port")
    check_setting("KAFKA_TOPIC", TOPIC, topic, "letters, digits, dots, _ or -")
    check_setting(
        "SEND_INTERVAL_SECONDS", SEND_INTERVAL_SECONDS, seconds, "seconds, as in 2 or 0.5"
    )


def check_setting(name, value, pattern, hint):
    if not re.fullmatch(pattern, value):
        die(f"{name}={value!r} can't be used: write {hint}.")


def connect_producer():
    return connect(
        KafkaProducer,
        acks="all",  # acknowledged is: stored by every in-sync replica
        enable_idempotence=True,  # a tick that the client sends again is stored once
        delivery_timeout_ms=FOR_EVER_MS,  # the client never gives up sending it again
        max_block_ms=1000,  # how long send() may wait for the topic's metadata
        metadata_max_age_ms=20_000,  # see new partitions after 20 s, not after five minutes
    )


def connect(client, **settings):
    """Return a client that has found Kafka; end the script if there is none."""
    try:
        return client(
            bootstrap_servers=BOOTSTRAP_SERVERS.split(","),
            client_id=CLIENT_ID,
            bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
            reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
            **settings,
        )
    except (errors.KafkaError, ValueError):
        die(
            f"KAFKA_BOOTSTRAP_SERVERS={BOOTSTRAP_SERVERS}: no Kafka answers there. Start it, or "
            "correct the address. (This script uses no TLS and no password.)"
        )


def connect_admin():
    """Return the client for questions about topics."""
    return connect(KafkaAdminClient, request_timeout_ms=ANSWER_MS)


class Stop:
    """Whether Ctrl+C or SIGTERM has asked this script to end; the second one ends it at once."""

    def __init__(self):
        self.asked = False
        self.asked_at = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.ask)

    def ask(self, number, _frame):
        if self.asked and time.monotonic() > self.asked_at + 0.1:  # some terminals send it twice
            os._exit(128 + number)
        self.asked, self.asked_at = True, time.monotonic()


def make_tick():
    price = f"{random.uniform(0, 1000):.2f}"
    tick = {"symbol": "AAPL", "price": price, "broker": NAME}
    return json.dumps(tick, separators=(",", ":"))


def deliver(producer, tick, stop, outage):
    """Send a tick until Kafka has acknowledged it; return where it is stored."""
    patience_ends = time.monotonic() + 5
    future = None
    while True:
        try:
            if future is None:
                future = producer.send(TOPIC, tick.encode())
            stored = future.get(timeout=0.2)
            outage.is_over()
            return stored
        except (errors.RetriableError, *KAFKA_WAS_WIPED):
            if future is not None and future.failed():
                future = None  # the client has given it up: send it anew
        except errors.KafkaError as error:
            die(f"Kafka refuses this tick ({type(error).__name__}), so it is not stored: {tick}")
        if stop.asked and time.monotonic() > stop.asked_at + 3:
            die(f"Stopped, but Kafka has not acknowledged this tick; it may not be stored: {tick}")
        if time.monotonic() > patience_ends:
            outage.goes_on()
            patience_ends = time.monotonic() + 5


class Outage:
    """What this script has to wait for: said when that begins, and when it is over."""

    def __init__(self, admin):
        self.admin = admin
        self.reason = None

    def goes_on(self):
        reason = TOPIC_MISSING if self.topic_is_missing() else KAFKA_AWAY
        if reason != self.reason:
            say(reason)
        self.reason = reason
        time.sleep(0.2)  # what fails at once is not tried again at once

    def topic_is_missing(self):
        """Tell a missing topic from a missing Kafka; asking creates no topic."""
        try:
            return TOPIC not in self.admin.list_topics()
        except errors.KafkaError:
            return False

    def is_over(self):
        if self.reason == KAFKA_AWAY:
            say("Kafka answers again.")
        if self.reason == TOPIC_MISSING:
            say(f"Topic {TOPIC} exists now.")
        self.reason = None


def say(line):
    print(f"[{NAME}] {line}", flush=True)


def wait_until(due, stop):
    """Wait in short steps: Ctrl+C does not wait for a long interval."""
    rest = due - time.monotonic()
    while rest > 0 and not stop.asked:
        time.sleep(min(rest, 0.1))
        rest = due - time.monotonic()


if __name__ == "__main__":
    try:
        main()
        os._exit(0)  # all is done: a late second Ctrl+C must not make it look otherwise
    except BrokenPipeError:  # the reader has gone, as after `| head`: nobody is left to be told
        os._exit(0)
    except (errors.KafkaError, OSError) as error:  # OSError: as when the disk is full
        die(f"{type(error).__name__}: {error}")
