"""Send a stock tick to a Kafka topic every two seconds, and print each once Kafka has acknowledged it.

No tick is dropped: one that can't be delivered is kept and tried again, however long Kafka is away, before the next is
made. Ctrl+C waits for the acknowledgement that is due; a second Ctrl+C ends the script at once.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster (default: localhost:9092)
  KAFKA_TOPIC              the topic to send to (default: stock-market)
  SEND_INTERVAL_SECONDS    the seconds from one tick to the next (default: 2)
"""

import argparse
import json
import os
import random
import re
import signal
import sys
import time

for number in (signal.SIGINT, signal.SIGTERM):  # nothing is sent yet: Ctrl+C just ends the script
    signal.signal(number, lambda *_: os._exit(0))

from kafka import KafkaProducer
from kafka.errors import KafkaError, OutOfOrderSequenceNumberError

NAME, CLIENT_ID = "Broker2", "producer2"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
TOPIC = os.environ.get("KAFKA_TOPIC", "stock-market")
SEND_INTERVAL_SECONDS = os.environ.get("SEND_INTERVAL_SECONDS", "2")
stopping = []  # when Ctrl+C or SIGTERM came


def stop(number, _frame):
    if stopping and time.monotonic() - stopping[0] > 0.1:  # a second one, not the first delivered twice
        os._exit(128 + number)
    stopping.append(time.monotonic())


def die(reason):
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)


def say(line):
    try:
        print(f"[{NAME}] {line}", flush=True)
    except BrokenPipeError:  # the reader is gone, as in `| head`
        os._exit(0)
    except OSError as error:
        die(f"The output can't be written: {error.strerror}.")


def check_settings():
    for server in BOOTSTRAP_SERVERS.split(","):
        address = re.fullmatch(r"([^\s:/]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})", server.strip())
        if not address or not 0 < int(address[2]) < 65536:
            die(f"KAFKA_BOOTSTRAP_SERVERS={BOOTSTRAP_SERVERS!r} is no address: write host:port, as in localhost:9092.")
    if not re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", TOPIC) or TOPIC in (".", ".."):
        die(f"KAFKA_TOPIC={TOPIC!r} is no topic name: write up to 249 letters, digits, dots, _ or -.")
    try:
        interval = float(SEND_INTERVAL_SECONDS)
    except ValueError:
        interval = -1
    if not 0 <= interval <= 86400:
        die(f"SEND_INTERVAL_SECONDS={SEND_INTERVAL_SECONDS!r} is no interval: write seconds from 0 to 86400, as in 2.")
    return interval


def deliver(producer, tick):
    """Send one tick until Kafka has acknowledged it, and print it. Give up only after Ctrl+C and three more seconds."""
    future, started, away = None, time.monotonic(), False
    while True:
        try:
            future = future or producer.send(TOPIC, tick.encode())
            stored = future.get(timeout=0.5)
            break
        except KafkaError as error:
            if not error.retriable and not isinstance(error, OutOfOrderSequenceNumberError):
                die(f"Kafka refuses {tick}: {error}")
            if future and future.is_done:  # it failed for good and was not stored, as when Kafka's data are wiped
                future = None
            now = time.monotonic()
            if stopping and now - stopping[0] > 3:
                die(f"Stopped, but Kafka has not acknowledged {tick}: it may not be stored.")
            if not away and now - started > 5:
                say("Kafka does not answer: keeping the tick and waiting.")
                away = True
    if away:
        say("Kafka answers again: going on.")
    say(f"Sent: {tick} (partition {stored.partition}, offset {stored.offset})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    if unknown := parser.parse_known_args()[1]:
        die(f"Unknown argument {unknown[0]!r}: the settings come from the environment, see --help.")
    interval = check_settings()
    try:
        producer = KafkaProducer(
            bootstrap_servers=BOOTSTRAP_SERVERS.split(","),
            client_id=CLIENT_ID,
            acks="all",  # acknowledged means stored by every in-sync replica
            delivery_timeout_ms=2**31 - 1,  # Kafka's largest: the client itself tries again, so nothing is stored twice
            max_block_ms=1000,  # how long send() may wait for the topic's metadata
            bootstrap_timeout_ms=8000,
            reconnect_backoff_max_ms=1000,  # be back soon after Kafka is
        )
    except KafkaError:
        die(f"KAFKA_BOOTSTRAP_SERVERS={BOOTSTRAP_SERVERS}: no Kafka answers there. Start it, or correct the address.")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)

    due, sent = time.monotonic(), 0
    while not stopping:
        if time.monotonic() < due:
            time.sleep(min(0.1, due - time.monotonic()))
            continue
        price = f"{random.uniform(0, 1000):.2f}"
        deliver(producer, json.dumps({"symbol": "AAPL", "price": price, "broker": NAME}, separators=(",", ":")))
        sent += 1
        due = max(due + interval, time.monotonic())
    say(f"Stopped. {sent} ticks sent, every one acknowledged.")


if __name__ == "__main__":
    main()
