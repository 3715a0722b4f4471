# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Print every message of a Kafka topic; when started again, go on at the group's committed offset.

An offset is committed after its message is printed and flushed, never before. So a stop, a crash
or an outage skips no message that Kafka still has. What is printed but not committed is printed
again (at least once): after a crash, as a rule, the messages of one poll; after Ctrl+C nothing,
unless Kafka does not take the last commit. The script goes on by itself after an outage, a
rebalance, or when Kafka's data were deleted under it. Where it starts, what it waits for, and what
retention deleted unread, it says in a line each. A second Ctrl+C ends it at once. A second consumer
with the same CLIENT_ID in the group ends the first one.

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
    except (errors.KafkaTimeoutError, ValueError):  # ValueError: the port is no number
        die(f"No Kafka answers at {BOOTSTRAP_SERVERS}. Start it, or set KAFKA_BOOTSTRAP_SERVERS.")


class Progress:
    """How far this consumer has come."""

    def __init__(self):
        self.member_id = None  # as the group knows this consumer
        self.assignment = None  # (its partitions, how many the topic has), as told
        self.committed = {}  # {TopicPartition: its committed offset, None if not known yet}


def print_next_messages(consumer, progress):
    """Poll, print, commit, in this order: whatever ends the script, no message is skipped."""
    messages = consumer.poll(timeout_ms=1000)
    check_and_tell(consumer, progress, messages)
    show(messages)
    # Commits the offsets after all that poll() has returned. Also when nothing came: so it asks
    # whether Kafka is there and the group still counts on this consumer, and a group that starts at
    # the latest keeps that place.
    consumer.commit(timeout_ms=ANSWER_MS)
    for tp in messages:
        progress.committed[tp] = messages[tp][-1].offset + 1


def main():
    check_usage()
    sys.stdout.reconfigure(errors="backslashreplace")  # for a terminal that lacks a letter
    stop = Stop()
    consumer, progress, waiting = connect(), Progress(), Waiting()
    consumer.subscribe([TOPIC])
    while not stop.asked_at:
        try:
            require_topic(consumer)
            print_next_messages(consumer, progress)
            require_first_fetch(consumer)
            waiting.end()
        except errors.UnknownTopicOrPartitionError:
            waiting.tell(f"for topic {TOPIC} to be created")
        except errors.RebalanceInProgressError:
            waiting.tell(f"to join group {GROUP_ID}", pause=0)  # only poll() sees a join to its end
        except errors.CommitFailedError:
            # As after a pause of more than seven seconds, or when Kafka's data are gone. Where the
            # client was may be wrong now: begin as after a restart, at the committed offsets.
            say(f"Group {GROUP_ID} has forgotten this consumer. Joining it again.")
            consumer.unsubscribe()
            consumer.subscribe([TOPIC])
            progress = Progress()
        except (
            errors.RetriableError,
            errors.UnknownBrokerIdError,  # of a Kafka that was wiped
            errors.InconsistentGroupProtocolError,  # a client with another assignor is in the group
        ) as error:
            waiting.tell(f"for Kafka: {type(error).__name__}")
    # No close(): a static member does not leave, Kafka keeps its partitions for it until
    # session_timeout_ms is over. Without group_instance_id, call consumer.close() here, to leave.
    say("Stopped.")
    for tp, committed in progress.committed.items():
        if committed is not None:
            say(f"The next start resumes {name_of(tp)} at offset {committed}.")


# Below: the checks before printing, what is said, what main() needs.


def check_and_tell(consumer, progress, messages):
    """Raise unless the group counts on this consumer; say where it starts to read, or has to jump.

    If it raises, the messages are put back: nothing is printed yet, the next poll() returns them.
    """
    try:
        require_membership(consumer, progress)
        tell_assignment(consumer, progress)
        for tp in sorted(consumer.assignment()):
            if tp not in progress.committed:
                progress.committed[tp] = tell_start(consumer, tp)
            at = messages[tp][0].offset if tp in messages else consumer.position(tp, timeout_ms=0)
            if at is not None:  # else Kafka has not told it yet
                tell_jump(consumer, tp, progress.committed[tp], at)
                progress.committed[tp] = at  # by the next commit
    except errors.KafkaError:
        for tp in messages.keys() & consumer.assignment():
            consumer.seek(tp, messages[tp][0].offset)
        raise


def require_membership(consumer, progress):
    """Raise while the group has not let this consumer in, and if it has forgotten it meanwhile."""
    member = consumer.group_metadata()
    if progress.member_id not in (None, member.member_id):
        raise errors.CommitFailedError  # as commit() does: main() then subscribes anew
    if member.state is not MemberState.STABLE:
        ask_to_join(consumer)
        raise errors.RebalanceInProgressError
    progress.member_id = member.member_id
    if not consumer.assignment():
        # Ask Kafka anything, to notice an outage: commit() asks nothing without partitions.
        consumer.committed(TopicPartition(TOPIC, 0), timeout_ms=ANSWER_MS)


def ask_to_join(consumer):
    """Have the next poll() join the group (again), which kafka-python 3.0.12 forgets in two cases.

    A join that takes longer than a poll() may never be finished: the consumer waits for ever. And
    a group's leader that was restarted does not know that it leads, so it does not look for added
    partitions. This can go when need_rejoin() is true for as long as a join is under way, and the
    client speaks JoinGroup 9 (KIP-814).
    """
    consumer._coordinator.request_rejoin()  # noqa: SLF001 - there is no public call


def tell_assignment(consumer, progress):
    """Say how many of the topic's partitions the group gives this consumer, if that has changed."""
    partitions, count = consumer.assignment(), len(consumer.partitions_for_topic(TOPIC))
    if (partitions, count) == progress.assignment:
        return
    say(f"Group {GROUP_ID} gives this consumer {len(partitions)} of {count} partitions of {TOPIC}.")
    if progress.assignment and count > progress.assignment[1]:
        ask_to_join(consumer)  # partitions were added: the group has to share them out
    for tp in progress.committed.keys() - partitions:
        del progress.committed[tp]
    progress.assignment = partitions, count


def tell_start(consumer, tp):
    """Say where a partition that is new here is read from; return its committed offset, or None."""
    committed, end = consumer.committed(tp, timeout_ms=ANSWER_MS), consumer.highwater(tp)
    if committed is None:
        say(f"No committed offset. Starting {name_of(tp)} at the {AUTO_OFFSET_RESET}")
    else:
        behind = "" if end is None else f": {max(0, end - committed)} behind"  # None: not told yet
        say(f"Resuming {name_of(tp)} at offset {committed}{behind}")
    return committed


def tell_jump(consumer, tp, committed, at):
    """Say why a partition is not read on at its committed offset, but at another one."""
    if committed is None or at == committed:
        return
    if at < committed:
        say(f"{name_of(tp)} ends before offset {committed} now. Going on at offset {at}.")
    elif consumer.beginning_offsets([tp], timeout_ms=ANSWER_MS)[tp] > committed:
        lost = f"offsets {committed} to {at - 1} of {name_of(tp)}"
        say(f"LOST: {lost} are passed over: retention deleted what came next.")
    # Otherwise these offsets are printed and a commit failed, or no message has them: transactions
    # and compaction leave gaps.


def show(messages):
    """Print the messages of one poll, a line each, in one write."""
    lines = [
        f"Received: {printable(m.value)} (partition {m.partition}, offset {m.offset})"
        for of_partition in messages.values()
        for m in of_partition
    ]
    if lines:
        say(*lines)


def printable(value):
    """Return a message's value as one line of text that can't steer the terminal."""
    text = (value or b"").decode("utf-8", "backslashreplace")
    return text if text.isprintable() else repr(text)[1:-1]


def require_topic(consumer):
    """Raise if there is no topic: who joins its group before it is there is given no partition."""
    if not consumer.assignment() and not consumer.partitions_for_topic(TOPIC):
        raise errors.UnknownTopicOrPartitionError


def require_first_fetch(consumer):
    """Raise while a partition has never been fetched from, as when it has no leader.

    This comes last in a round, so that the other partitions are read meanwhile.
    """
    if any(consumer.highwater(tp) is None for tp in consumer.assignment()):
        raise errors.KafkaTimeoutError


class Waiting:
    """Says what it waits for if no round succeeds for three seconds, and when that is over."""

    def __init__(self):
        self.told = set()
        self.since = time.monotonic()

    def tell(self, what, pause=0.2):
        if what not in self.told and time.monotonic() > self.since + 3:
            say(f"Waiting {what}.")
            self.told.add(what)
        time.sleep(pause)  # what fails at once is not tried again at once

    def end(self):
        if self.told:
            say("Going on.")
        self.told, self.since = set(), time.monotonic()


class Stop:
    """Notes when Ctrl+C or SIGTERM first asks the script to end; a second one ends it at once."""

    def __init__(self):
        self.asked_at = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)

    def on_signal(self, number, _frame):
        if not self.asked_at:
            self.asked_at = time.monotonic()
        elif time.monotonic() > self.asked_at + 0.1:  # sooner, one Ctrl+C was delivered twice
            os._exit(128 + number)


def check_usage():
    if sys.argv[1:]:
        die("No arguments, please: the first lines of this file tell the settings.")
    if AUTO_OFFSET_RESET not in ("earliest", "latest"):
        die(f"KAFKA_AUTO_OFFSET_RESET={AUTO_OFFSET_RESET!r}: write earliest or latest.")


def name_of(tp):
    return f"{tp.topic}-{tp.partition}"


def say(*lines):
    print("\n".join(f"[{NAME}] {line}" for line in lines), flush=True)


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # sys.exit() would wait for threads, and try again to write what could not be


if __name__ == "__main__":
    try:
        main()
    except errors.FencedInstanceIdError:
        die(f"Another {CLIENT_ID} has joined group {GROUP_ID}: it goes on, this one ends.")
    except (errors.KafkaError, ValueError, OSError) as error:  # OSError: as when the disk is full
        die(error)
    os._exit(0)  # nothing is left to do: a late second Ctrl+C must not change the status
