# /// script
# requires-python = ">=3.10,<3.15"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Print every message of a Kafka topic. After a restart, go on where the last run stopped.

Kafka remembers that place: the committed offset of the consumer group. It is the offset of the
next message that the group wants. This script commits it after printing, never before. So no
message that Kafka still has is skipped, however the script ends. Messages that were printed but not
committed are printed again.

If no Kafka answers at the start, the script ends. If anything fails later, the script waits until
Kafka answers. Then it does what a restart would do: it makes a new client and goes on at the
committed offset.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated (127.0.0.1:9092)
  KAFKA_TOPIC              the topic to read (stock-market)
  KAFKA_GROUP_ID           the consumer group (stock-group2)
  KAFKA_AUTO_OFFSET_RESET  where to start without a committed offset: earliest or latest (earliest)
"""

import contextlib
import functools
import gc
import os
import signal
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition, errors
from kafka.admin import MemberToRemove, OffsetSpec

NAME = "Consumer2"
CLIENT_ID = "consumer2"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip() or "127.0.0.1:9092"
TOPIC = os.environ.get("KAFKA_TOPIC", "").strip() or "stock-market"
GROUP_ID = os.environ.get("KAFKA_GROUP_ID", "").strip() or "stock-group2"
AUTO_OFFSET_RESET = os.environ.get("KAFKA_AUTO_OFFSET_RESET", "").strip() or "earliest"
TIMEOUT_MS = 4000  # if Kafka takes longer than this to answer, that is an error


def main():
    stop = []  # empty until Ctrl+C or SIGTERM
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.append(True))
    consumer = connect()
    while not stop:
        try:
            with KafkaAdminClient(
                bootstrap_servers=BOOTSTRAP_SERVERS, request_timeout_ms=TIMEOUT_MS
            ) as admin:
                poll_print_commit(consumer, admin, stop)
        except errors.FencedInstanceIdError:
            sys.exit(f"[{NAME}] Another {CLIENT_ID} joined the group, so this one ends.")
        except Exception as error:
            say(f"Waiting: {type(error).__name__}.")
        # After an error, or if the topic's partitions have changed, do what a restart would do.
        # When stopped, this returns None at once.
        consumer = reconnect(consumer, stop)
    say("Stopped.")  # without leaving the group, so that a restart is quick: see connect()


def poll_print_commit(consumer, admin, stop):
    """Print messages until stopped, or until the topic's partitions change."""
    # Wait for the topic before the first poll(), which joins the group. A static member that joins
    # without a topic is assigned no partitions, and stays that way.
    while not stop and not consumer.partitions_for_topic(TOPIC):
        say(f"Waiting for topic {TOPIC}: it does not exist, or this client may not read it.")
        time.sleep(0.5)
    partitions = consumer.partitions_for_topic(TOPIC)
    # A workaround: a static member that comes back gets its old partitions. A partition that was
    # added meanwhile is assigned to nobody. (KIP-814 needs JoinGroup version 9, kafka-python 3.0.12
    # speaks 7. findings/static-member-misses-added-partitions.sh tells when this can go.)
    # Every consumer commits an offset for each of its partitions, see below. So if the newest
    # partition, the last one, has no offset, nobody reads it. Then remove the membership that a
    # previous run may have left: poll() joins as a new member, and all partitions are reassigned.
    # A new Kafka may need twice the time. There are no partitions if we were stopped above.
    newest = TopicPartition(TOPIC, len(partitions) - 1)
    if partitions and consumer.committed(newest, timeout_ms=2 * TIMEOUT_MS) is None:
        admin.remove_group_members(GROUP_ID, [MemberToRemove(group_instance_id=CLIENT_ID)])
    placed = set()  # the partitions that place() has reported
    while not stop:
        try:
            messages = consumer.poll(timeout_ms=1000)
        except (errors.NoOffsetForPartitionError, errors.OffsetOutOfRangeError):
            messages, placed = {}, set()  # no valid offset: place() looks at all partitions
        assigned = consumer.assignment()
        if not assigned:
            say(f"Waiting for group {GROUP_ID} to give this consumer a partition of {TOPIC}.")
        if assigned - placed:
            place(consumer, admin, assigned - placed)
        placed = assigned
        print_messages(consumer, messages, stop)
        # Commit the position in every partition, even if no message came: poll() does not report
        # that Kafka is gone, commit() does.
        consumer.commit(timeout_ms=TIMEOUT_MS)
        if consumer.partitions_for_topic(TOPIC) != partitions:
            say(f"Topic {TOPIC} has other partitions now. Waiting to join group {GROUP_ID} again.")
            return
    for tp in sorted(placed):
        offset = consumer.committed(tp, timeout_ms=TIMEOUT_MS)
        say(f"Group {GROUP_ID} will resume partition {tp.partition} at offset {offset}.")


def connect():
    return KafkaConsumer(
        TOPIC,
        bootstrap_servers=BOOTSTRAP_SERVERS,
        client_id=CLIENT_ID,
        group_id=GROUP_ID,
        # Static membership: a restart within seven seconds finds its partitions waiting for it.
        group_instance_id=CLIENT_ID,  # of two running copies, the second ends the first
        session_timeout_ms=7000,
        heartbeat_interval_ms=1000,  # how soon it notices a rebalance
        enable_auto_commit=False,  # commit what is printed, not what is fetched
        auto_offset_reset="none",  # poll() raises, and place() decides and reports a loss
        isolation_level="read_committed",  # no message of an aborted transaction
        max_poll_records=20_000,  # one commit for many messages: catches up faster
        metadata_max_age_ms=20_000,  # notice added partitions within 20 s, not five minutes
        bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
        reconnect_backoff_max_ms=1000,  # go on soon after an outage
    )


def reconnect(consumer, stop):
    """Wait until Kafka answers, and return a new consumer. Return None if stopped before that."""
    new = None
    while not new and not stop:
        time.sleep(0.5)
        gc.collect()  # closes the sockets of failed attempts
        with contextlib.suppress(Exception):
            # Ask with the old client first: a new one that finds no Kafka leaks a thread, in 3.0.12
            # (findings/constructor-without-kafka-leaks.sh).
            consumer.bootstrap(timeout_ms=TIMEOUT_MS, refresh=True)
            new = connect()  # does not end the old one: it joins the group at its first poll()
            consumer.close()  # frees its thread and sockets; a static member stays in its group
    return new


def place(consumer, admin, partitions):
    """Say where reading starts in each partition. Choose where if no valid offset is committed."""
    committed = admin.list_group_offsets({GROUP_ID: list(partitions)})[GROUP_ID]
    firsts = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    for tp in sorted(partitions):
        name = f"partition {tp.partition}"
        offset, first, end = committed[tp].offset, firsts[tp].offset, ends[tp].offset
        if offset == -1:
            say(f"No committed offset. Starting {name} at the {AUTO_OFFSET_RESET} offset.")
            consumer.seek(tp, first if AUTO_OFFSET_RESET == "earliest" else end)
            continue
        if offset < first:
            say(f"LOST: offsets {offset} to {first - 1} of {name}. Kafka has deleted them.")
        elif offset > end:  # as when the topic was deleted and recreated
            say(f"Going back in {name}, from offset {offset} to offset {first}.")
        if not first <= offset <= end:
            offset = first
            consumer.seek(tp, offset)
        say(f"Resuming {name} at offset {offset}: {end - offset} behind.")


def print_messages(consumer, messages, stop):
    """Print messages. When stopped, or after ten seconds, leave the rest for the next poll().

    If the reader of our output is slow, the time between two polls would otherwise be too long, and
    the group would take the partitions away (max.poll.interval.ms).
    """
    deadline = time.monotonic() + 10
    for tp, batch in messages.items():
        for at in range(0, len(batch), 100):
            if stop or time.monotonic() > deadline:
                consumer.seek(tp, batch[at].offset)
                break  # and go on: the other partitions have to be sought back, too
            print("\n".join([line_for(message) for message in batch[at : at + 100]]), flush=True)


def line_for(message):
    text = (message.value or b"").decode("utf-8", "backslashreplace")
    if not text.isprintable():  # it could steer the terminal
        text = repr(text)[1:-1]
    return f"[{NAME}] Received: {text} (partition {message.partition}, offset {message.offset})"


@functools.lru_cache(maxsize=1)  # does nothing if the line is the same as the last one
def say(line):
    print(f"[{NAME}] {line}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    if AUTO_OFFSET_RESET not in ("earliest", "latest"):
        sys.exit(f"[{NAME}] KAFKA_AUTO_OFFSET_RESET must be earliest or latest.")
    gc.set_threshold(100_000)  # saves a tenth of the processor time when catching up
    try:
        # Use a buffer even if PYTHONUNBUFFERED is set. Without one, Python loses the rest of a
        # write that a signal interrupts. Escape what the terminal cannot show.
        sys.stdout = os.fdopen(1, "w", errors="backslashreplace", closefd=False)
        main()
    except Exception as error:
        print(f"[{NAME}] {error}", file=sys.stderr, flush=True)
        os._exit(1)  # where a print has failed, sys.exit() would print again
