# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Print every message of a Kafka topic. Started again, go on where the last run stopped.

Kafka keeps that place: the committed offset of the consumer group, which is the offset of the next
message that the group wants. This script commits it after printing, never before. So however it
ends, it skips no message that Kafka still has; what was printed but not committed is printed again.

If no Kafka answers at the start, the script ends. If Kafka fails later, the script waits for it and
does what a restart would do: it takes a new client, which goes on at the committed offset.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated (127.0.0.1:9092)
  KAFKA_TOPIC              the topic to read (stock-market)
  KAFKA_GROUP_ID           the consumer group (stock-group2)
  KAFKA_AUTO_OFFSET_RESET  where to start without a committed offset: earliest or latest (earliest)
"""

import contextlib
import os
import signal
import sys
import time

from kafka import KafkaConsumer, errors

NAME = "Consumer2"
CLIENT_ID = "consumer2"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or "127.0.0.1:9092"
TOPIC = os.environ.get("KAFKA_TOPIC") or "stock-market"
GROUP_ID = os.environ.get("KAFKA_GROUP_ID") or "stock-group2"
AUTO_OFFSET_RESET = os.environ.get("KAFKA_AUTO_OFFSET_RESET") or "earliest"
ANSWER_MS = 4000  # an answer of Kafka that takes longer is an error


def main():
    stop = []  # empty until Ctrl+C or SIGTERM
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    consumer = connect()
    while not stop:
        try:
            poll_print_commit(consumer, stop)
        except errors.FencedInstanceIdError:
            sys.exit(f"[{NAME}] Another {CLIENT_ID} joined the group: it goes on, this one ends.")
        except errors.KafkaError as error:
            say(f"Waiting for Kafka ({type(error).__name__}).")
            consumer = reconnect(consumer, stop)
    say("Stopped.")  # without leaving the group: see group_instance_id


def poll_print_commit(consumer, stop):
    """Wait for the topic; read on at the committed offsets until told to stop, or a KafkaError."""
    # Until the topic exists there is nothing to assign, so don't join the group yet.
    while not stop and not consumer.partitions_for_topic(TOPIC):
        say(f"Waiting for topic {TOPIC} to be created.")
        time.sleep(0.5)
    next_offsets = {}  # {partition: its next message's offset, None if unknown}: to notice a jump
    while not stop:
        messages = consumer.poll(timeout_ms=1000)
        next_offsets = tell_places(consumer, messages, next_offsets)
        show(messages)
        # Commits the offsets after all that poll() has returned. Even if that was nothing: poll()
        # hides an outage, commit() raises.
        consumer.commit()
    # Stopped. Where the next start goes on, Kafka says.
    for tp in sorted(next_offsets):
        committed = consumer.committed(tp, timeout_ms=ANSWER_MS)
        if committed is not None:
            say(f"Group {GROUP_ID} resumes partition {tp.partition} at offset {committed}.")


def connect():
    return KafkaConsumer(
        TOPIC,
        bootstrap_servers=BOOTSTRAP_SERVERS,
        client_id=CLIENT_ID,
        group_id=GROUP_ID,
        # Static membership: a restart within seven seconds finds its partitions waiting for it.
        group_instance_id=CLIENT_ID,  # of two running copies, the second ends the first
        session_timeout_ms=7000,
        heartbeat_interval_ms=2000,  # at most a third of that
        enable_auto_commit=False,  # commit what is printed, not what is fetched
        auto_offset_reset=AUTO_OFFSET_RESET,
        isolation_level="read_committed",  # no message of an aborted transaction
        max_poll_records=20_000,  # one commit for many messages: catches up faster
        metadata_max_age_ms=20_000,  # see added partitions after 20 s, not after five minutes
        bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
        request_timeout_ms=ANSWER_MS,
        reconnect_backoff_max_ms=1000,  # go on soon after an outage
    )


def reconnect(consumer, stop):
    """Wait until Kafka answers, and return a new consumer; the old one if stopped before."""
    while not stop:
        time.sleep(0.5)
        with contextlib.suppress(errors.KafkaError):
            # Ask the old one: in kafka-python 3.0.12 a new one that finds no Kafka leaks a thread.
            consumer.bootstrap(timeout_ms=ANSWER_MS, refresh=True)
            new = connect()
            consumer.close()  # frees thread and sockets; a static member stays in its group
            return new
    return consumer


def tell_places(consumer, messages, next_offsets):
    """Say where partitions are read on if that is news; return the new `next_offsets`."""
    if consumer.assignment() != next_offsets.keys():
        next_offsets = tell_starts(consumer)
    if not next_offsets:
        say(f"Waiting for group {GROUP_ID} to give this consumer a partition of {TOPIC}.")
    for tp, batch in messages.items():
        if next_offsets[tp] is not None:
            tell_jump(consumer, tp, next_offsets[tp], batch[0].offset)
        next_offsets[tp] = batch[-1].offset + 1
    return next_offsets


def tell_starts(consumer):
    # All ends before any line: without a leader this fails, and the next try would repeat lines.
    ends = {tp: consumer.end_offsets([tp])[tp] for tp in sorted(consumer.assignment())}
    next_offsets = {}
    for tp, end in ends.items():
        place = f"partition {tp.partition}"
        committed = consumer.committed(tp, timeout_ms=ANSWER_MS)
        first = consumer.beginning_offsets([tp])[tp]
        next_offsets[tp] = None if committed is None else max(committed, first)
        if committed is None:
            say(f"No committed offset. Starting {place} at the {AUTO_OFFSET_RESET}.")
        else:
            say(f"Resuming {place} at offset {committed}: {max(0, end - committed)} behind.")
            tell_jump(consumer, tp, committed, next_offsets[tp])
    return next_offsets


def tell_jump(consumer, tp, expected, actual):
    """Say so if a partition is not read on at the expected offset."""
    if actual < expected:  # as when the topic was deleted and made again
        say(f"Going back in partition {tp.partition}, from offset {expected} to offset {actual}.")
    elif actual > expected:
        first = min(actual, consumer.beginning_offsets([tp])[tp])  # what has come is not lost
        if first > expected:  # if not, it is a gap that transactions or compaction leave
            lost = f"offsets {expected} to {first - 1} of partition {tp.partition}"
            say(f"LOST: {lost}. Kafka has deleted them.")


def show(messages):
    for batch in messages.values():
        sys.stdout.write("".join(map(line_for, batch)))  # in one piece: faster than print()
    sys.stdout.flush()


def line_for(message):
    text = (message.value or b"").decode("utf-8", "backslashreplace")
    if not text.isprintable():  # it could steer the terminal
        text = repr(text)[1:-1]
    return f"[{NAME}] Received: {text} (partition {message.partition}, offset {message.offset})\n"


def say(line):
    """Print a line, but not the same one twice in a row: what is waited for is said once."""
    if line != getattr(say, "last", None):
        print(f"[{NAME}] {line}", flush=True)
    say.last = line


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    if AUTO_OFFSET_RESET not in ("earliest", "latest"):
        sys.exit(f"[{NAME}] KAFKA_AUTO_OFFSET_RESET must be earliest or latest.")
    sys.stdout.reconfigure(errors="backslashreplace")  # for a terminal that lacks a letter
    try:
        main()
    except (errors.KafkaError, ValueError, OSError) as error:
        print(f"[{NAME}] {error}", file=sys.stderr, flush=True)
        os._exit(1)  # where a print has failed, sys.exit() would print again
