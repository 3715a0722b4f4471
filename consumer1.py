# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Print every message of a Kafka topic; when started again, go on at the group's committed offset.

An offset is committed after its message is printed and flushed, never before. So a stop, a crash
or an outage skips no message that Kafka still has. What is printed but not committed is printed
again: after a crash, as a rule, the messages of one poll; after Ctrl+C nothing, unless Kafka does
not take the last commit. A second Ctrl+C ends the script at once. So does a second consumer with
this CLIENT_ID in the group.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster
                           (default: 127.0.0.1:9092)
  KAFKA_TOPIC              the topic to read (default: stock-market)
  KAFKA_GROUP_ID           the consumer group whose committed offset counts (default: stock-group1)
  KAFKA_AUTO_OFFSET_RESET  where to start if there is no committed offset, or Kafka has deleted what
                           comes next: earliest, or latest, which also skips what is left of the
                           log (default: earliest)
"""

import gc
import os
import signal
import sys
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, errors
from kafka.structs import MemberState, TopicPartition

NAME = "Consumer1"
CLIENT_ID = "consumer1"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
TOPIC = os.environ.get("KAFKA_TOPIC", "stock-market")
GROUP_ID = os.environ.get("KAFKA_GROUP_ID", "stock-group1")
AUTO_OFFSET_RESET = os.environ.get("KAFKA_AUTO_OFFSET_RESET", "earliest")
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
            session_timeout_ms=7000,  # if it does not restart in time, others of the group get them
            heartbeat_interval_ms=2000,  # a third of that or less, as Kafka asks
            auto_offset_reset=AUTO_OFFSET_RESET,
            enable_auto_commit=False,  # commit what is printed, not what is fetched
            isolation_level="read_committed",  # no message of a transaction that was aborted
            max_poll_records=20_000,  # fewer commits: it catches up faster
            metadata_max_age_ms=20_000,  # see added partitions after 20 s, not after five minutes
            bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
            reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
        )
    except (errors.KafkaError, ValueError):
        die(
            f"KAFKA_BOOTSTRAP_SERVERS={BOOTSTRAP_SERVERS}: no Kafka answers there. Start it, or "
            "correct the address. (This script uses no TLS and no password.)"
        )


def print_next_messages(consumer, progress):
    """Poll, print, commit, in this order: whatever ends the script, no message is skipped."""
    if not progress.pending:  # what the last round failed to print comes first
        progress.pending = consumer.poll(timeout_ms=1000)
    require_membership(consumer, progress)
    note_share(consumer, progress)
    note_starts(consumer, progress)
    note_jumps(consumer, progress)
    show(progress.pending)
    for tp, messages in progress.pending.items():
        progress.next_offsets[tp] = messages[-1].offset + 1
    progress.pending = {}
    commit(consumer)
    progress.committed = dict(progress.next_offsets)


def commit(consumer):
    """Commit the offsets after what poll() has returned, in each round, also when nothing came.

    Committing in each round also asks whether Kafka is there and the group still has this consumer,
    and keeps the place of a group that starts at the latest.
    """
    consumer.commit(timeout_ms=ANSWER_MS)
    if not consumer.assignment():  # then commit() has asked nobody: ask something else
        consumer.committed(TopicPartition(TOPIC, 0), timeout_ms=ANSWER_MS)


def main():
    check_usage()
    sys.stdout.reconfigure(errors="backslashreplace")  # for a terminal that lacks a letter
    gc.set_threshold(100_000)  # messages form no cycles: it need not look for them so often
    consumer, progress = connect(), Progress()
    consumer.subscribe([TOPIC], listener=JoinAtCommittedOffsets(consumer, progress))
    stop, waiting = Stop(), Waiting()
    while not stop.asked:
        try:
            require_topic(consumer)
            print_next_messages(consumer, progress)
            reason = unanswered(consumer)
        except errors.UnknownTopicOrPartitionError:
            reason = f"for topic {TOPIC} to be created"
        except (errors.RebalanceInProgressError, errors.CommitFailedError):
            reason = f"to join group {GROUP_ID}"
        except (
            errors.RetriableError,
            errors.UnknownBrokerIdError,  # of a Kafka that was wiped
            errors.InconsistentGroupProtocolError,  # a client with another assignor is in the group
        ) as error:
            reason = f"for Kafka: {type(error).__name__}"
        waiting.note(reason)
    # No close(): a static member keeps its partitions until session_timeout_ms is over. Without
    # group_instance_id, call consumer.close() here, to leave the group.
    for tp, offset in progress.committed.items():
        if offset is not None:
            say(f"Stopped. The next start resumes {name_of(tp)} at offset {offset}.")


class Progress:
    """How far this consumer has come."""

    def __init__(self):
        self.pending = {}  # {TopicPartition: messages that poll() returned, not printed yet}
        self.next_offsets = {}  # {TopicPartition: the offset to print next, None if not known}
        self.committed = {}  # the same, as Kafka has it
        self.share = None  # (its partitions, how many the topic has)


class Waiting:
    """What the script waits for: said when it takes over three seconds, and when it is over."""

    def __init__(self):
        self.told = set()
        self.worked_at = time.monotonic()

    def note(self, reason):
        if reason is None:
            if self.told:
                say("Going on.")
            self.told, self.worked_at = set(), time.monotonic()
            return
        if reason not in self.told and time.monotonic() > self.worked_at + 3:
            say(f"Waiting {reason}.")
            self.told.add(reason)
        time.sleep(0.2)  # what fails at once is not tried again at once


def require_topic(consumer):
    """Raise if there is no topic: who joins its group before it is there is given no partition."""
    if not consumer.assignment() and not consumer.partitions_for_topic(TOPIC):
        raise errors.UnknownTopicOrPartitionError


def require_membership(consumer, progress):
    """Raise while the group has not let this consumer in."""
    if consumer.group_metadata().state is not MemberState.STABLE:
        progress.pending = {}  # not lost, as they are not committed: see JoinAtCommittedOffsets
        ask_to_join(consumer)
        raise errors.RebalanceInProgressError


def note_share(consumer, progress):
    """Say how many of the topic's partitions this consumer has, if that has changed."""
    partitions, count = consumer.assignment(), len(consumer.partitions_for_topic(TOPIC))
    if (partitions, count) == progress.share:
        return
    say(f"Group {GROUP_ID} gives this consumer {len(partitions)} of {count} partitions of {TOPIC}.")
    if progress.share and count > progress.share[1]:
        ask_to_join(consumer)  # partitions were added: the group has to share them out
    progress.share = partitions, count


def note_starts(consumer, progress):
    """Say where reading starts in each partition that the group has just given this consumer."""
    new = sorted(consumer.assignment() - progress.next_offsets.keys())
    committed = {tp: consumer.committed(tp, timeout_ms=ANSWER_MS) for tp in new}
    if None in committed.values() and not progress.pending:
        commit(consumer)  # a start at the latest is kept before it is told
    for tp, offset in committed.items():
        end = consumer.highwater(tp)
        if offset is None:
            say(f"No committed offset. Starting {name_of(tp)} at the {AUTO_OFFSET_RESET}")
        elif end is None or end < offset:
            say(f"Resuming {name_of(tp)} at offset {offset}")
        else:
            say(f"Resuming {name_of(tp)} at offset {offset}: {end - offset} behind")
    progress.next_offsets |= committed


def note_jumps(consumer, progress):
    """Say where a partition does not go on at its next offset, and why."""
    for tp, expected in progress.next_offsets.items():
        actual = consumer.position(tp, timeout_ms=0)
        if tp in progress.pending:
            actual = progress.pending[tp][0].offset
        if actual is None:
            continue
        if expected is not None and actual < expected:
            say(f"{name_of(tp)} ends before offset {expected} now. Going on at offset {actual}.")
        if expected is not None and actual > expected:
            tell_loss(consumer, tp, expected, actual)
        progress.next_offsets[tp] = actual


def tell_loss(consumer, tp, expected, actual):
    first = consumer.beginning_offsets([tp], timeout_ms=ANSWER_MS)[tp]
    if first > expected:  # else no message has these offsets: transactions, compaction
        lost = f"offsets {expected} to {actual - 1} of {name_of(tp)}"
        say(f"LOST: {lost} are passed over: retention deleted what came next.")


def unanswered(consumer):
    """Return as a reason to wait which partitions Kafka is silent about, as without a leader."""
    silent = [tp for tp in sorted(consumer.assignment()) if consumer.highwater(tp) is None]
    return f"for Kafka to answer about {', '.join(map(name_of, silent))}" if silent else None


def show(pending):
    """Print the messages of one poll, a line each, in one write."""
    lines = [
        f"Received: {printable(m.value)} (partition {m.partition}, offset {m.offset})"
        for messages in pending.values()
        for m in messages
    ]
    if lines:
        say(*lines)


def printable(value):
    """Return a message's value as one line of text that can't steer the terminal."""
    if value is None:
        return "<null>"
    text = value.decode("utf-8", "backslashreplace") or "<empty>"
    return text if text.isprintable() else repr(text)[1:-1]


class Stop:
    """Whether Ctrl+C or SIGTERM has asked the script to end; the second one ends it at once."""

    def __init__(self):
        self.asked = False
        self.asked_at = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)

    def on_signal(self, number, _frame):
        if not self.asked:
            self.asked_at, self.asked = time.monotonic(), True
        elif time.monotonic() > self.asked_at + 0.1:  # sooner, it is the same one passed on twice
            os._exit(128 + number)


def check_usage():
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__.strip())
        sys.exit()
    if sys.argv[1:]:
        die(f"Unknown argument {sys.argv[1]!r}: settings come from the environment, see --help.")
    if not GROUP_ID:
        die("KAFKA_GROUP_ID is empty: write the group's name.")
    if AUTO_OFFSET_RESET not in ("earliest", "latest"):
        die(f"KAFKA_AUTO_OFFSET_RESET={AUTO_OFFSET_RESET!r}: write earliest or latest.")


def name_of(tp):
    return f"{tp.topic}-{tp.partition}"


def say(*lines):
    print("\n".join(f"[{NAME}] {line}" for line in lines), flush=True)


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # at once: what stdout could not take is not tried again, no thread is waited for


# Workarounds for kafka-python 3.0.12, by private names, since there is no public call.


def ask_to_join(consumer):
    """Have the next poll() join the group (again).

    A join that outlasts a poll() may be forgotten: then Kafka counts this consumer as a member, and
    the consumer waits for ever. And only the group's leader looks for added partitions, but it does
    not know that it leads after a restart as a static member. This can go when need_rejoin() is
    true for as long as a join is under way, and JoinGroup 9 is spoken (KIP-814).
    """
    consumer._coordinator.request_rejoin()  # noqa: SLF001


class JoinAtCommittedOffsets(ConsumerRebalanceListener):
    """Has a join begin at the committed offsets.

    Otherwise a partition may keep its position over a join, even where its log is another one by
    now, as after a wipe, and the beginning of the new log is skipped. This can go when the client
    gives up its partitions before a join, as Kafka's own does without a cooperative assignor.
    """

    def __init__(self, consumer, progress):
        self.consumer, self.progress = consumer, progress

    def on_partitions_revoked(self, revoked):
        self.progress.next_offsets.clear()
        self.progress.committed.clear()
        self.consumer._subscription.assign_from_subscribed([])  # noqa: SLF001

    def on_partitions_assigned(self, assigned):
        pass


if __name__ == "__main__":
    try:
        main()
        os._exit(0)  # all is done: a late second Ctrl+C must not make it look otherwise
    except errors.FencedInstanceIdError:
        die(f"Another {CLIENT_ID} has joined group {GROUP_ID}: it goes on, this one ends.")
    except KeyboardInterrupt:  # while it connects: nothing is to be saved
        os._exit(130)
    except BrokenPipeError:  # the reader has gone, as after `| head`: nobody is left to be told
        os._exit(0)
    except ValueError as error:
        die(f"KAFKA_TOPIC={TOPIC!r} can't be used: {error}.")
    except (errors.KafkaError, OSError) as error:  # OSError: as when the disk is full
        die(f"{type(error).__name__}: {error}")
