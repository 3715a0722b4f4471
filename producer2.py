# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Send a stock tick to a Kafka topic every two seconds and drop none, however long Kafka is away.

- A tick is printed when Kafka has acknowledged it. Until then it is kept and sent again, before the
  next one is made.
- Kafka stores each tick once; but after two minutes without an acknowledgement
  (delivery.timeout.ms) kafka-python gives it up, the script sends it anew, and it may be stored
  again.
- The script ends if no Kafka answers at its start. If Kafka refuses a tick, it names it and ends.
- Ctrl+C waits about three seconds at most for the last acknowledgement; if it does not come, the
  last line names the tick, which may not be stored. A second Ctrl+C ends the script at once.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster
                           (default: 127.0.0.1:9092)
  KAFKA_TOPIC              the topic to send to (default: stock-market)
  SEND_INTERVAL_SECONDS    the pause after each tick (default: 2)
"""

import json
import os
import random
import signal
import sys
import time

from kafka import KafkaProducer, errors
from kafka.producer.transaction_manager import TransactionState

# The name in the data, as in the Node original: that of a stock broker, not of a Kafka broker.
STOCK_BROKER = "Broker2"
CLIENT_ID = "producer2"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or "127.0.0.1:9092"
TOPIC = os.environ.get("KAFKA_TOPIC") or "stock-market"
SEND_INTERVAL_SECONDS = os.environ.get("SEND_INTERVAL_SECONDS") or "2"
# After these the tick is sent again, after any other the script ends.
PASSING_ERRORS = (
    errors.RetriableError,  # Kafka is away, or starting, or has no such topic
    errors.OutOfOrderSequenceNumberError,  # Kafka was wiped
    errors.UnknownProducerIdError,  # the same
)


def connect():
    try:
        return KafkaProducer(
            bootstrap_servers=BOOTSTRAP_SERVERS.split(","),
            client_id=CLIENT_ID,
            acks="all",  # acknowledged means stored by every in-sync replica
            enable_idempotence=True,  # a tick that the client sends again is stored once
            max_block_ms=1000,  # how long send() may wait to learn where the topic is
            metadata_max_age_ms=20_000,  # see added partitions after 20 s, not after five minutes
            bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
            reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
        )
    except (errors.KafkaTimeoutError, ValueError):  # ValueError: as when the port is no number
        die(f"No Kafka answers at {BOOTSTRAP_SERVERS}. Start it, or set KAFKA_BOOTSTRAP_SERVERS.")


def main():
    interval = read_interval()
    stop = Stop()
    producer = connect()
    acknowledged = 0
    while not stop.asked_at:
        tick = make_tick()
        stored = deliver(producer, tick, stop)
        say(f"Sent: {tick} (partition {stored.partition}, offset {stored.offset})")
        acknowledged += 1
        pause(interval, stop)
    say(f"Stopped. Ticks sent and acknowledged: {acknowledged}.")


class Stop:
    """Notes when Ctrl+C or SIGTERM first asks the script to end; a second one ends it at once."""

    def __init__(self):
        self.asked_at = None  # when the first one came
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)

    def on_signal(self, number, _frame):
        if not self.asked_at:
            self.asked_at = time.monotonic()
        elif time.monotonic() > self.asked_at + 0.1:  # sooner, it is one Ctrl+C, delivered twice
            os._exit(128 + number)


def make_tick():
    price = f"{random.uniform(0, 1000):.2f}"
    tick = {"symbol": "AAPL", "price": price, "broker": STOCK_BROKER}
    return json.dumps(tick, separators=(",", ":"))


def deliver(producer, tick, stop):
    """Send a tick until Kafka has acknowledged it; return where it is stored."""
    began, warned, future = time.monotonic(), False, None
    while True:
        try:
            if future is None:  # the client does not have the tick
                future = producer.send(TOPIC, tick.encode())
            if future.is_done:  # get() would wait for that, and not notice Ctrl+C
                return future.get()
        except PASSING_ERRORS:  # the client has not taken the tick, or has given it up
            allow_new_producer_id(producer)
            future = None
            time.sleep(0.5)
        except errors.KafkaError as error:
            die(f"Kafka refuses this tick ({error}): {tick}")
        if stop.asked_at and time.monotonic() > stop.asked_at + 3:
            die(f"Stopped, but Kafka has not acknowledged this tick; it may not be stored: {tick}")
        if not warned and time.monotonic() > began + 5:
            warned = True
            say(
                "No acknowledgement for 5 seconds: keeping the tick and trying again. "
                f"Is Kafka away, or topic {TOPIC} missing?"
            )
        time.sleep(0.01)  # and look again


def allow_new_producer_id(producer):
    """Have the client ask for a new producer id: a workaround for kafka-python 3.0.12.

    When the client gives a tick up it drops its producer id. Without an id it sends nothing, and it
    asks for one only in the state UNINITIALIZED: so it is put back into that. This can go when
    reset_producer_id() does so.
    """
    manager = producer._transaction_manager  # noqa: SLF001 - there is no public call
    if manager._current_state is TransactionState.READY and not manager.has_producer_id():  # noqa: SLF001
        manager._current_state = TransactionState.UNINITIALIZED  # noqa: SLF001


def pause(seconds, stop):
    """Wait in short steps: Ctrl+C does not wait for a long interval."""
    end = time.monotonic() + seconds
    while not stop.asked_at and time.monotonic() < end:
        time.sleep(min(0.1, seconds))


def read_interval():
    """Return the pause after each tick; end the script if what it was told cannot work."""
    if sys.argv[1:]:
        die("No arguments, please: the first lines of this file tell the settings.")
    try:
        seconds = float(SEND_INTERVAL_SECONDS)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86_400:
        die(f"SEND_INTERVAL_SECONDS={SEND_INTERVAL_SECONDS!r}: write seconds, as in 2 or 0.5.")
    return seconds


def say(line):
    print(f"[{STOCK_BROKER}] {line}", flush=True)


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{STOCK_BROKER}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # sys.exit() would wait for threads, and retry a write that failed


if __name__ == "__main__":
    try:
        main()
    except (errors.KafkaError, ValueError, OSError) as error:  # OSError: as when the disk is full
        die(error)
    os._exit(0)  # nothing is left to do: a late second Ctrl+C must not change the status
