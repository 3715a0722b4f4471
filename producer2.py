"""Send a stock tick to a Kafka topic every two seconds, and print each once Kafka has acknowledged it.

No tick is dropped: one that can't be delivered is kept and tried again, however long Kafka is away, before the next is
made. Ctrl+C waits for the acknowledgement that is due; a second Ctrl+C ends the script at once.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster (default: localhost:9092)
  KAFKA_TOPIC              the topic to send to (default: stock-market)
  SEND_INTERVAL_SECONDS    the seconds from one tick to the next (default: 2)
"""

import os
import signal
import time

NAME, CLIENT_ID, producer, stopping = "Broker2", "producer2", None, []  # stopping: when Ctrl+C or SIGTERM came


def stop(number, _frame):
    if not producer or (stopping and time.monotonic() - stopping[0] > 0.1):  # sooner is the same one, delivered twice
        os._exit(128 + number if producer else 0)  # the second time, or with nothing to save yet: at once
    stopping.append(time.monotonic())


for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, stop)

import json
import random
import re
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from kafka import KafkaProducer, errors


def die(reason):
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)


def setting(name, default, pattern, hint):
    value = os.environ.get(name, default)
    return value if re.fullmatch(pattern, value) else die(f"{name}={value!r} can't be used: write {hint}.")


def say(line):
    """Print a line at once. Return None: `flag = say(...)` also clears the flag."""
    print(f"[{NAME}] {line}", flush=True)


def deliver(tick):
    """Send a tick until Kafka has acknowledged it, and print it. Three seconds after Ctrl+C, give up and say so."""
    future, away, started = None, False, time.monotonic()
    while True:
        try:
            future = future or producer.send(TOPIC, tick.encode())
            stored = future.get(timeout=0.2)
            break
        except (errors.RetriableError, errors.OutOfOrderSequenceNumberError, errors.UnknownProducerIdError):
            if future and future.is_done:  # it failed for good and is not stored, as when Kafka's data are wiped
                future = None
            if stopping and time.monotonic() > stopping[0] + 3:
                die(f"Stopped, but Kafka has not acknowledged this tick, which may not be stored: {tick}")
            if time.monotonic() > started + 5:
                away = away or not say("Kafka does not answer: keeping the tick and waiting for it.")
    away = away and say("Kafka answers again.")
    say(f"Sent: {tick} (partition {stored.partition}, offset {stored.offset})")


sys.excepthook = lambda kind, error, _: os._exit(0) if kind is BrokenPipeError else die(f"{kind.__name__}: {error}")
if unknown := ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter).parse_known_args()[1]:
    die(f"Unknown argument {unknown[0]!r}: the settings come from the environment, see --help.")
SERVERS = setting("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092", r"[^\s/,]+:\d+(,[^\s/,]+:\d+)*", "host:port").split(",")
TOPIC = setting("KAFKA_TOPIC", "stock-market", r"(?!\.\.?$)[a-zA-Z0-9._-]{1,249}", "letters, digits, dots, _ or -")
SECONDS = setting("SEND_INTERVAL_SECONDS", "2", r"\d{1,5}(\.\d*)?|\.\d+", "seconds from 0 to 99999, as in 2 or 0.5")
try:
    producer = KafkaProducer(
        bootstrap_servers=SERVERS,
        client_id=CLIENT_ID,
        acks="all",  # acknowledged is: stored by every in-sync replica
        delivery_timeout_ms=2**31
        - 1,  # the largest there is: the client itself tries again, so nothing is stored twice
        max_block_ms=1000,  # how long send() waits for the topic's metadata before deliver() looks around
        bootstrap_timeout_ms=8000,
        reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
    )
except (errors.KafkaError, ValueError):
    die(f"KAFKA_BOOTSTRAP_SERVERS={','.join(SERVERS)}: no Kafka answers there. Start it, or correct the address.")

due, sent = time.monotonic(), 0
while not stopping:
    if time.monotonic() < due:
        time.sleep(min(0.1, max(0, due - time.monotonic())))  # in short steps: Ctrl+C does not wait for a long interval
        continue
    price = f"{random.uniform(0, 1000):.2f}"
    deliver(json.dumps({"symbol": "AAPL", "price": price, "broker": NAME}, separators=(",", ":")))
    sent, due = sent + 1, max(due + float(SECONDS), time.monotonic())
say(f"Stopped. Ticks sent and acknowledged: {sent}.")
os._exit(0)  # all is done: a late second signal must not make it look otherwise
