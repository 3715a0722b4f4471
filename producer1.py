# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Send a stock tick to a Kafka topic every two seconds; print it when Kafka has stored it.

If no Kafka answers at the start, the script ends. If Kafka fails later, the script keeps the tick
until Kafka has stored it, once, and only then makes the next one. Stopped before that, it ends
with a line that names the tick.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated (127.0.0.1:9092)
  KAFKA_TOPIC              the topic to send to (stock-market)
  SEND_INTERVAL_SECONDS    the pause after each tick (2)
"""

import json
import os
import random
import signal
import sys
import time

from kafka import KafkaProducer, errors

STOCK_BROKER = "Broker1"  # the name in the data: of a stock broker, not of a Kafka broker
CLIENT_ID = "producer1"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or "127.0.0.1:9092"
TOPIC = os.environ.get("KAFKA_TOPIC") or "stock-market"
SEND_INTERVAL_SECONDS = os.environ.get("SEND_INTERVAL_SECONDS") or "2"


def main():
    stop = []  # empty until Ctrl+C or SIGTERM
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    interval = float(SEND_INTERVAL_SECONDS)
    producer = connect()
    while not stop:
        tick = make_tick()
        stored = deliver(producer, tick, stop)
        say(f"Sent: {tick} (partition {stored.partition}, offset {stored.offset})")
        end = time.monotonic() + interval
        while not stop and time.monotonic() < end:
            time.sleep(min(0.1, interval))  # short naps: a signal does not end a sleep()
    say("Stopped.")


def connect():
    return KafkaProducer(
        bootstrap_servers=BOOTSTRAP_SERVERS,
        client_id=CLIENT_ID,
        acks="all",  # acknowledged means stored by every in-sync replica
        enable_idempotence=True,  # what the client sends again by itself is stored once
        delivery_timeout_ms=2**31 - 1,  # it goes on trying, not only for two minutes
        max_block_ms=3000,  # how long send() may wait to learn where the topic is
        metadata_max_age_ms=20_000,  # see added partitions after 20 s, not after five minutes
        bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
        reconnect_backoff_max_ms=1000,  # go on soon after an outage
    )


def make_tick():
    tick = {"symbol": "AAPL", "price": f"{random.uniform(0, 1000):.2f}", "broker": STOCK_BROKER}
    return json.dumps(tick, separators=(",", ":"))


def deliver(producer, tick, stop):
    """Send a tick; return where it is stored, when Kafka has acknowledged that."""
    future = None
    while True:
        try:
            # get() waits for three seconds. In vain: ask the same future again, for the client has
            # the tick and goes on trying. Failed: Kafka has rejected the tick, so send it anew.
            if future is None or future.failed():
                future = producer.send(TOPIC, tick.encode())
            return future.get(timeout=3)
        except (
            errors.RetriableError,  # such as a timeout: Kafka is away, or has no such topic
            errors.OutOfOrderSequenceNumberError,  # Kafka was wiped: it does not know this client
            errors.UnknownProducerIdError,  # the same
        ) as error:
            if stop:
                die(f"Stopped. Kafka has not acknowledged this tick; it may not be stored: {tick}")
            say(f"Waiting for Kafka to store a tick in topic {TOPIC} ({type(error).__name__}).")
            time.sleep(0.1)
        except errors.KafkaError as error:
            die(f"Kafka refuses this tick ({error}): {tick}")


def say(line):
    """Print a line, but not the same one twice in a row: what is waited for is said once."""
    if line != getattr(say, "last", None):
        print(f"[{STOCK_BROKER}] {line}", flush=True)
    say.last = line


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{STOCK_BROKER}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # sys.exit() would wait for the tick that is not acknowledged


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    if not SEND_INTERVAL_SECONDS.replace(".", "", 1).isdecimal():
        sys.exit(f"[{STOCK_BROKER}] SEND_INTERVAL_SECONDS must be 0 or more, such as 2 or 0.5.")
    try:
        main()
    except (errors.KafkaError, ValueError, OSError) as error:
        die(error)
