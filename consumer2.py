# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Print every message of a Kafka topic; skip none that Kafka still has, however this script ends.

- Started again, it goes on at its group's committed offset.
- An offset is committed after its message is printed and flushed, never before. What is printed but
  not committed is printed again (at least once): after a crash, as a rule, the messages of one
  poll; after Ctrl+C nothing, unless Kafka does not take the last commit.
- It ends if no Kafka answers at its start. Later it goes on by itself after an outage, a rebalance,
  or when Kafka's data were deleted under it.
- It says where it starts, what it waits for, and which offsets Kafka deleted unread.
- A second Ctrl+C ends it at once. A second consumer with the same CLIENT_ID in the group ends the
  first one.

To see how it resumes, read to the end of main(). The rest keeps that right while brokers, groups
and data change.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster
                           (default: 127.0.0.1:9092)
  KAFKA_TOPIC              the topic to read (default: stock-market)
  KAFKA_GROUP_ID           the consumer group whose committed offset counts (default: stock-group2)
  KAFKA_AUTO_OFFSET_RESET  where to start if there is no committed offset, or Kafka has deleted what
                           comes next: earliest, or latest, which also skips what is left of the
                           log (default: earliest)
"""

import os
import signal
import sys
import time

from kafka import KafkaConsumer, errors
from kafka.structs import MemberState, TopicPartition

NAME = "Consumer2"
CLIENT_ID = "consumer2"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or "127.0.0.1:9092"
TOPIC = os.environ.get("KAFKA_TOPIC") or "stock-market"
GROUP_ID = os.environ.get("KAFKA_GROUP_ID") or "stock-group2"
AUTO_OFFSET_RESET = os.environ.get("KAFKA_AUTO_OFFSET_RESET") or "earliest"
ANSWER_MS = 4000  # how long to wait for one answer of Kafka
# After these the script tries again.
PASSING_ERRORS = (
    errors.RetriableError,  # Kafka is away, or starting
    errors.UnknownBrokerIdError,  # Kafka was wiped
    errors.InconsistentGroupProtocolError,  # a client with another assignor is in the group
)


def connect():
    try:
        return KafkaConsumer(
            bootstrap_servers=BOOTSTRAP_SERVERS.split(","),
            client_id=CLIENT_ID,
            group_id=GROUP_ID,
            # Static membership: a restart gets its partitions back at once. In a group a second
            # running copy ends the first, so a copy of this file needs a CLIENT_ID of its own.
            group_instance_id=CLIENT_ID,
            session_timeout_ms=7000,  # away for longer, and others of the group get its partitions
            heartbeat_interval_ms=2000,  # a third of that or less, as Kafka asks
            auto_offset_reset=AUTO_OFFSET_RESET,
            enable_auto_commit=False,  # commit what is printed, not what is fetched
            isolation_level="read_committed",  # no message of a transaction that was aborted
            max_poll_records=20_000,  # fewer commits: it catches up faster
            metadata_max_age_ms=20_000,  # see added partitions after 20 s, not after five minutes
            bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
            reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
        )
    except (errors.KafkaTimeoutError, ValueError):  # ValueError: as when the port is no number
        die(f"No Kafka answers at {BOOTSTRAP_SERVERS}. Start it, or set KAFKA_BOOTSTRAP_SERVERS.")


class Progress:
    """How far this consumer has come."""

    def __init__(self):
        self.member_id = None  # the group's name for this consumer
        self.assignment = None  # (its partitions, how many the topic has)
        self.next_offsets = {}  # {TopicPartition: the offset to read next, after what is printed}
        self.committed = {}  # {TopicPartition: the offset that Kafka has last taken}


def print_next_messages(consumer, progress):
    """Poll, print, commit, in this order: whatever ends the script, no message is skipped."""
    messages = consumer.poll(timeout_ms=1000)
    try:
        require_membership(consumer, progress)
        report_assignment(consumer, progress)
        report_positions(consumer, progress, messages)
    except errors.KafkaError:
        # Nothing is printed yet: have the next poll() return the same messages.
        for tp in messages.keys() & consumer.assignment():
            consumer.seek(tp, messages[tp][0].offset)
        raise
    show(messages)
    for tp in messages:
        progress.next_offsets[tp] = messages[tp][-1].offset + 1
    # Commits the offsets after all that poll() has returned. Also when nothing came: that finds an
    # outage, or that the group has forgotten this consumer; and a new group has its first offset.
    consumer.commit(timeout_ms=ANSWER_MS)
    progress.committed = progress.next_offsets.copy()


def main():
    check_usage()
    sys.stdout.reconfigure(errors="backslashreplace")  # for a terminal that lacks a letter
    stop = Stop()
    consumer, progress, waiting = connect(), Progress(), Waiting()
    consumer.subscribe([TOPIC])
    while not stop.asked_at:
        try:
            if consumer.assignment() or consumer.partitions_for_topic(TOPIC):
                print_next_messages(consumer, progress)
                waiting.end()
            else:  # who joins a group before its topic is there is given no partition
                waiting.tell(f"for topic {TOPIC} to be created")
        except errors.RebalanceInProgressError:
            waiting.tell(f"to join group {GROUP_ID}", pause=0)  # poll() again, or the join is lost
        except errors.CommitFailedError:
            # Found by commit() or require_membership(), as after a pause of more than seven seconds
            # or when Kafka's data are gone. Where the client was may be wrong now: begin as after a
            # restart, at the committed offsets.
            say(f"Group {GROUP_ID} has forgotten this consumer. Joining it again.")
            consumer.unsubscribe()
            consumer.subscribe([TOPIC])
            progress = Progress()
        except PASSING_ERRORS as error:
            waiting.tell(f"for Kafka: {type(error).__name__}")
    # No close(): a static member does not leave, Kafka keeps its partitions for it until
    # session_timeout_ms is over. Without group_instance_id, call consumer.close() here, to leave.
    say("Stopped.")
    for tp, offset in progress.committed.items():
        say(f"The next start resumes partition {tp.partition} at offset {offset}.")


# Below: what keeps it right through rebalances, outages and deleted data, and says so; then what
# main() needs.


def require_membership(consumer, progress):
    """Raise unless this consumer is a member of its group, and the same member as before.

    Without this, it might wait for ever to join; and if Kafka's data were deleted, it might read on
    at the old offset and skip what is new.
    """
    member = consumer.group_metadata()
    if progress.member_id and progress.member_id != member.member_id:
        raise errors.CommitFailedError  # as commit() does if the group has forgotten who commits
    if member.state is not MemberState.STABLE:
        ask_to_join(consumer)
        raise errors.RebalanceInProgressError
    progress.member_id = member.member_id
    if not consumer.assignment():
        # Ask Kafka anything, to notice an outage: commit() asks nothing without partitions.
        consumer.committed(TopicPartition(TOPIC, 0), timeout_ms=ANSWER_MS)


def ask_to_join(consumer):
    """Have the next poll() join the group: a workaround for kafka-python 3.0.12.

    The client may forget a join that takes longer than one poll(), and then waits for ever; and a
    group's leader that was restarted does not know that it leads, so it misses a changed topic.
    This can go when need_rejoin() is true until a join is over, and with JoinGroup 9 (KIP-814).
    """
    consumer._coordinator.request_rejoin()  # noqa: SLF001 - there is no public call


def report_assignment(consumer, progress):
    """Report and record which part of the topic's partitions this consumer has, if that changes."""
    partitions, count = consumer.assignment(), len(consumer.partitions_for_topic(TOPIC))
    if (partitions, count) == progress.assignment:
        return
    say(f"Group {GROUP_ID} gives this consumer {len(partitions)} of {count} partitions of {TOPIC}.")
    if progress.assignment and count != progress.assignment[1]:
        ask_to_join(consumer)  # the group has to share the partitions out anew
    for offsets in (progress.next_offsets, progress.committed):
        for tp in offsets.keys() - partitions:
            del offsets[tp]
    progress.assignment = partitions, count


def report_positions(consumer, progress, messages):
    """Report and record where a partition is read on, if that is not after its last message.

    Without this, a loss would pass unnoticed.
    """
    for tp in sorted(consumer.assignment()):
        expected = progress.next_offsets.get(tp)  # None: this partition is new here
        at = messages[tp][0].offset if tp in messages else consumer.position(tp, timeout_ms=0)
        if at is None:
            raise errors.KafkaTimeoutError  # Kafka has not said it yet
        if at != expected:
            tell_position(consumer, tp, expected, at)
            progress.next_offsets[tp] = at


def tell_position(consumer, tp, expected, at):
    """Say why a partition is read on at this offset: a start, a step back or a loss."""
    partition = f"partition {tp.partition}"
    # Ask first, then speak: when a question fails, all of this is done again.
    first = consumer.beginning_offsets([tp], timeout_ms=ANSWER_MS)[tp]
    if expected is None:
        end = consumer.end_offsets([tp], timeout_ms=ANSWER_MS)[tp]
        committed = consumer.committed(tp, timeout_ms=ANSWER_MS)
        if committed is None:
            say(f"No committed offset. Starting {partition} at the {AUTO_OFFSET_RESET}.")
            return
        say(f"Resuming {partition} at offset {committed}: {max(0, end - committed)} behind.")
        expected = committed  # where it is read on may differ from that at once, as after a wipe
    if at < expected:
        say(f"Going back in {partition}, from offset {expected} to offset {at}.")
    elif at > expected and first > expected:  # else it is a gap of transactions or compaction
        lost = f"offsets {expected} to {at - 1} of {partition}"
        say(f"LOST: {lost} are passed over: Kafka has deleted what came next.")


def show(messages):
    """Print each message as one line that can't steer the terminal, and flush them together."""
    for of_partition in messages.values():
        for message in of_partition:
            text = (message.value or b"").decode("utf-8", "backslashreplace")
            if not text.isprintable():
                text = repr(text)[1:-1]
            place = f"(partition {message.partition}, offset {message.offset})"
            sys.stdout.write(f"[{NAME}] Received: {text} {place}\n")  # faster than print()
    sys.stdout.flush()


class Waiting:
    """Says what it waits for if no round succeeds for three seconds, and when that is over."""

    def __init__(self):
        self.told = set()
        self.since = time.monotonic()

    def tell(self, what, pause=0.2):
        if what not in self.told and time.monotonic() > self.since + 3:
            say(f"Waiting {what}.")
            self.told.add(what)
        time.sleep(pause)  # no busy loop where something fails at once

    def end(self):
        if self.told:
            say("Going on.")
        self.told, self.since = set(), time.monotonic()


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


def check_usage():
    if sys.argv[1:]:
        die("No arguments, please: the first lines of this file tell the settings.")
    if AUTO_OFFSET_RESET not in ("earliest", "latest"):
        die(f"KAFKA_AUTO_OFFSET_RESET={AUTO_OFFSET_RESET!r}: write earliest or latest.")


def say(line):
    print(f"[{NAME}] {line}", flush=True)


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # sys.exit() would wait for threads, and retry a write that failed


if __name__ == "__main__":
    try:
        main()
    except errors.FencedInstanceIdError:
        die(f"Another {CLIENT_ID} has joined group {GROUP_ID}: it goes on, this one ends.")
    except (errors.KafkaError, ValueError, OSError) as error:  # OSError: as when the disk is full
        die(error)
    os._exit(0)  # nothing is left to do: a late second Ctrl+C must not change the status
