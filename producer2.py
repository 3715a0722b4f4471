# /// script
# requires-python = ">=3.10,<3.15"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Send a stock tick to a Kafka topic every two seconds; print it when Kafka has stored it.

If no Kafka answers at the start, the script ends. If Kafka fails later, the script keeps trying
until Kafka has stored the tick, exactly once. Only then does it make the next one. If Kafka refuses
a tick, or the script is stopped before the tick is stored, its last line names the tick.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated (127.0.0.1:9092)
  KAFKA_TOPIC              the topic to send to (stock-market)
  SEND_INTERVAL_SECONDS    the pause after each tick (2)
"""

import functools
import json
import os
import random
import signal
import sys
import time

from kafka import KafkaProducer, errors

NAME = "Producer2"
CLIENT_ID = "producer2"
STOCK_BROKER = "Broker2"  # in the data: a stock broker, not a Kafka broker
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip() or "127.0.0.1:9092"
TOPIC = os.environ.get("KAFKA_TOPIC", "").strip() or "stock-market"
SEND_INTERVAL_SECONDS = os.environ.get("SEND_INTERVAL_SECONDS", "").strip() or "2"

# After one of these errors, the script keeps trying. Any other error ends it.
WORTH_WAITING = (
    errors.RetriableError,  # such as a timeout: Kafka is away, or has no such topic
    errors.OutOfOrderSequenceNumberError,  # Kafka was wiped: the client gets a new producer id
    errors.UnknownProducerIdError,  # the same
)


def main():
    stop = []  # empty until Ctrl+C or SIGTERM
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.append(True))
    producer = connect()
    while not stop:
        tick = make_tick()
        stored = deliver(producer, tick, stop)
        say(f"Sent: {tick} (partition {stored.partition}, offset {stored.offset})")
        pause(float(SEND_INTERVAL_SECONDS), stop)
    say("Stopped.")  # nothing is left to flush: Kafka has acknowledged each tick


def connect():
    return KafkaProducer(
        bootstrap_servers=BOOTSTRAP_SERVERS,
        client_id=CLIENT_ID,
        acks="all",  # acknowledged means stored by every in-sync replica
        enable_idempotence=True,  # what the client sends again by itself is stored once
        delivery_timeout_ms=2_147_483_647,  # keep trying: almost 25 days, not two minutes
        max_block_ms=3000,  # how long send() may wait to learn where the topic is
        metadata_max_age_ms=20_000,  # notice added partitions within 20 s, not five minutes
        bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
        reconnect_backoff_max_ms=1000,  # go on soon after an outage
    )


def make_tick():
    tick = {"symbol": "AAPL", "price": f"{random.uniform(0, 1000):.2f}", "broker": STOCK_BROKER}
    return json.dumps(tick, separators=(",", ":"))


def deliver(producer, tick, stop):
    """Send a tick; return where Kafka has stored it, or end the script."""
    future = None
    while True:
        try:
            # Send at first, and again if the client has given up: only if Kafka was wiped, and then
            # there is no older copy. When get() below times out, the client still has the tick.
            must_be_sent = future is None or future.failed()
            if must_be_sent:  # otherwise only wait: the client is retrying by itself
                future = producer.send(TOPIC, tick.encode())
            return future.get(timeout=3)
        except WORTH_WAITING as error:
            if stop:
                die(f"Stopped. Kafka has not acknowledged this tick, but may have it: {tick}")
            say(f"Waiting to store a tick in topic {TOPIC}: {type(error).__name__}.")
            time.sleep(0.1)
        except errors.KafkaError as error:
            die(f"Kafka refuses this tick ({error}): {tick}")


def pause(seconds, stop):
    end = time.monotonic() + seconds
    while not stop and time.monotonic() < end:
        time.sleep(min(0.1, seconds))  # short, because a signal does not end a sleep()


@functools.lru_cache(maxsize=1)  # does nothing if the line is the same as the last one
def say(line):
    print(f"[{NAME}] {line}", flush=True)


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # sys.exit() would wait for the tick that is not acknowledged


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    if not SEND_INTERVAL_SECONDS.replace(".", "", 1).isdecimal():
        sys.exit(f"[{NAME}] SEND_INTERVAL_SECONDS must be 0 or more, such as 2 or 0.5.")
    try:
        # Use a buffer even if PYTHONUNBUFFERED is set. Without one, Python loses the rest of a
        # write that a signal interrupts. Escape what the terminal cannot show.
        sys.stdout = os.fdopen(1, "w", errors="backslashreplace", closefd=False)
        main()
    except Exception as error:
        die(error)
