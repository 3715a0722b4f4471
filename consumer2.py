# /// script
# requires-python = ">=3.10"
# dependencies = ["kafka-python[crc32c,lz4,snappy,zstd]==3.0.12"]
# ///
"""Print every message of a Kafka topic; when started again, go on at the group's committed offset.

No message that Kafka still has goes missing: an offset is committed after its message is printed
and flushed, never before. What is printed but not committed comes again at the next start: after a
crash, what was printed since the last commit, as a rule the messages of one poll. Ctrl+C commits
before it ends the script, so after it nothing comes again, unless Kafka did not answer. A second
Ctrl+C ends the script at once.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster
                           (default: 127.0.0.1:9092)
  KAFKA_TOPIC              the topic to read (default: stock-market)
  KAFKA_GROUP_ID           the consumer group whose committed offset counts (default: stock-group2)
  KAFKA_AUTO_OFFSET_RESET  where a group without a committed offset starts: earliest or latest
                           (default: earliest)
"""

import signal

# Before the other imports, for they take a while: Ctrl+C just ends a script with nothing to save.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import contextlib
import gc
import os
import re
import sys
import time

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, errors
from kafka.structs import MemberState, OffsetAndMetadata, TopicPartition

NAME = "Consumer2"
CLIENT_ID = "consumer2"
BOOTSTRAP_SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
TOPIC = os.environ.get("KAFKA_TOPIC", "stock-market")
GROUP_ID = os.environ.get("KAFKA_GROUP_ID", "stock-group2")
AUTO_OFFSET_RESET = os.environ.get("KAFKA_AUTO_OFFSET_RESET", "earliest")
ANSWER_MS = 4000  # how long to wait for Kafka's answer before saying that it does not come
NOTHING_TO_READ_HERE = (
    errors.NoOffsetForPartitionError,  # the group has committed nothing yet
    errors.OffsetOutOfRangeError,  # retention has deleted what comes next, or the log is shorter
    errors.LogTruncationError,  # the log is another one now
)
GROUP_NOT_READY = (
    errors.CommitFailedError,  # the group went on without this consumer
    errors.RebalanceInProgressError,  # it is sharing out its partitions
    errors.CoordinatorNotAvailableError,  # Kafka is about to say which broker looks after it
)
KAFKA_AWAY = "Kafka does not answer: waiting for it."
TOPIC_MISSING = f"Topic {TOPIC} does not exist: waiting for it to be created."


def main():
    read_arguments()
    check_settings()
    prepare_python()
    consumer, admin = connect_consumer(), connect_admin()
    assignment, outage, membership = Assignment(), Outage(admin), Membership(admin)
    consumer.subscribe([TOPIC], listener=assignment)
    wait_for_topic(consumer, outage)
    stop, progress = Stop(), Progress({}, {})
    reset = AUTO_OFFSET_RESET
    while not stop.asked:
        try:
            if assignment.is_new:
                progress = place(consumer, reset)
                assignment.is_new = False
                reset = "earliest"  # "latest" is for the first start: from here on, skip nothing
            if membership.check_is_due():
                membership.check(consumer, outage)
            messages = consumer.poll(timeout_ms=200)
            keep_join(consumer)
            if assignment.is_new or not is_member(consumer):
                continue  # what came is read again, from where the group goes on
            show(messages)
            progress.note_printed(messages)
            if progress.commit_is_due():
                progress.commit(consumer)
                outage.is_over()
            progress.tell_when_caught_up(consumer)
        except NOTHING_TO_READ_HERE:
            assignment.is_new = True  # place() decides where to go on
        except GROUP_NOT_READY:
            pass  # poll() joins it, or joins it again
        except (errors.RetriableError, errors.UnknownBrokerIdError):
            outage.goes_on()
    if not assignment.is_new:
        progress.save(consumer)
    consumer.close(timeout_ms=ANSWER_MS)


def read_arguments():
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__.strip())
        sys.exit()
    if sys.argv[1:]:
        die(f"Unknown argument {sys.argv[1]!r}: settings come from the environment, see --help.")


def die(reason):
    """End the script: one line on stderr, status 1."""
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)  # at once: what stdout could not take is not tried again, no thread is waited for


def check_settings():
    address = r"[^\s/,]+:\d+(,[^\s/,]+:\d+)*"
    topic = r"(?!\.\.?$)[a-zA-Z0-9._-]{1,249}"
    check_setting("KAFKA_BOOTSTRAP_SERVERS", BOOTSTRAP_SERVERS, address, "host:port")
    check_setting("KAFKA_TOPIC", TOPIC, topic, "letters, digits, dots, _ or -")
    check_setting("KAFKA_GROUP_ID", GROUP_ID, r"[!-~]{1,249}", "letters, digits and signs")
    check_setting(
        "KAFKA_AUTO_OFFSET_RESET", AUTO_OFFSET_RESET, "earliest|latest", "earliest or latest"
    )


def check_setting(name, value, pattern, hint):
    if not re.fullmatch(pattern, value):
        die(f"{name}={value!r} can't be used: write {hint}.")


def prepare_python():
    sys.stdout.reconfigure(errors="backslashreplace")  # for a terminal that lacks a letter
    gc.set_threshold(100_000)  # messages form no cycles: looking for them costs 14 % of the speed


def connect_consumer():
    return connect(
        KafkaConsumer,
        group_id=GROUP_ID,
        group_instance_id=CLIENT_ID,  # static membership: a restart gets its partitions at once
        session_timeout_ms=7000,  # if it does not restart in time, others of the group get them
        heartbeat_interval_ms=2000,  # a third of that or less, as Kafka asks
        enable_auto_commit=False,  # commit what is printed, not what is fetched
        auto_offset_reset="none",  # no silent jump: place() decides, and says so
        isolation_level="read_committed",  # no message of a transaction that was aborted
        max_poll_records=20_000,  # fewer commits: catches up 1.3 times as fast as with 5000
        metadata_max_age_ms=20_000,  # see new partitions after 20 s, not after five minutes
    )


def connect(client, **settings):
    """Return a client that has found Kafka; end the script if there is none."""
    try:
        return client(
            bootstrap_servers=BOOTSTRAP_SERVERS.split(","),
            client_id=CLIENT_ID,
            bootstrap_timeout_ms=8000,  # how long to look for Kafka at the start
            reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
            **settings,
        )
    except (errors.KafkaError, ValueError):
        die(
            f"KAFKA_BOOTSTRAP_SERVERS={BOOTSTRAP_SERVERS}: no Kafka answers there. Start it, or "
            "correct the address. (This script uses no TLS and no password.)"
        )


def connect_admin():
    """Return the client for questions about topics and groups."""
    return connect(KafkaAdminClient, request_timeout_ms=ANSWER_MS)


class Assignment(ConsumerRebalanceListener):
    """Whether the group has given this consumer partitions that are not placed yet."""

    def __init__(self):
        self.is_new = False

    def on_partitions_assigned(self, assigned):
        self.is_new = True  # no more than that: on the client's own thread no call may wait

    def on_partitions_revoked(self, revoked):
        pass  # what is printed is committed already


class Outage:
    """What this script has to wait for: said when that begins, and when it is over."""

    def __init__(self, admin):
        self.admin = admin
        self.reason = None

    def goes_on(self):
        reason = TOPIC_MISSING if self.topic_is_missing() else KAFKA_AWAY
        if reason != self.reason:
            say(reason)
        self.reason = reason
        time.sleep(0.2)  # what fails at once is not tried again at once

    def topic_is_missing(self):
        """Tell a missing topic from a missing Kafka; asking creates no topic."""
        try:
            return TOPIC not in self.admin.list_topics()
        except errors.KafkaError:
            return False

    def is_over(self):
        if self.reason == KAFKA_AWAY:
            say("Kafka answers again.")
        if self.reason == TOPIC_MISSING:
            say(f"Topic {TOPIC} exists now.")
        self.reason = None


def say(*lines):
    print("\n".join(f"[{NAME}] {line}" for line in lines), flush=True)


def wait_for_topic(consumer, outage):
    """Return when the topic is there; the question creates it where Kafka creates topics by itself.

    A consumer that joins the group before the topic is known is given no partition; and a static
    member that is restarted is given what it had before: again none.
    """
    while True:
        try:
            consumer.end_offsets([TopicPartition(TOPIC, 0)], timeout_ms=ANSWER_MS)
            outage.is_over()
            return
        except errors.RetriableError:
            outage.goes_on()


class Stop:
    """Whether Ctrl+C or SIGTERM has asked this script to end; the second one ends it at once."""

    def __init__(self):
        self.asked = False
        self.asked_at = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.ask)

    def ask(self, number, _frame):
        if self.asked and time.monotonic() > self.asked_at + 0.1:  # some terminals send it twice
            os._exit(128 + number)
        self.asked, self.asked_at = True, time.monotonic()


class Progress:
    """What is printed and what is committed, since place(), of the partitions assigned by then.

    Args:
        starts: {TopicPartition: the offset that is read first}.
        ends: {TopicPartition: the end of the log at that time}.
    """

    def __init__(self, starts, ends):
        self.printed = starts  # {TopicPartition: the offset after the last printed message}
        self.committed = {}  # the same as Kafka has it: nothing, so that the starts are committed
        self.committed_at = 0
        self.ends = ends
        self.is_behind = starts != ends
        self.placed_at = time.monotonic()
        self.message_count = 0

    def note_printed(self, messages):
        for tp, batch in messages.items():
            self.printed[tp] = batch[-1].offset + 1
            self.message_count += len(batch)

    def commit_is_due(self):
        """After each print; else every two seconds: is Kafka there, does the group know us?"""
        waited = time.monotonic() > self.committed_at + 2
        return self.printed != self.committed or (bool(self.printed) and waited)

    def commit(self, consumer):
        offsets = {
            tp: OffsetAndMetadata(offset, "", leader_epoch=-1)
            for tp, offset in self.printed.items()
        }
        consumer.commit(offsets, timeout_ms=ANSWER_MS)
        self.committed, self.committed_at = dict(self.printed), time.monotonic()

    def tell_when_caught_up(self, consumer):
        if not self.is_behind or consumer.assignment() != set(self.ends):
            return  # or the group is sharing out its partitions anew
        if all(consumer.position(tp, ANSWER_MS) >= end for tp, end in self.ends.items()):
            self.is_behind = False
            seconds = time.monotonic() - self.placed_at
            say(f"Caught up: {count(self.message_count, 'message')} in {seconds:.1f} s")

    def save(self, consumer):
        """Commit what is not committed yet, if Kafka answers; say where the next start resumes."""
        with contextlib.suppress(errors.KafkaError):
            if self.printed != self.committed:
                self.commit(consumer)
        for tp, offset in self.committed.items():
            say(f"Stopped. The next start resumes {tp.topic}-{tp.partition} at offset {offset}.")


def count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Membership:
    """Asks the group, every five seconds, what nothing else tells its members."""

    def __init__(self, admin):
        self.admin = admin
        self.checked_at = time.monotonic()

    def check_is_due(self):
        return time.monotonic() > self.checked_at + 5

    def check(self, consumer, outage):
        """See whether a copy has taken this consumer's place, and whether each partition is read.

        A consumer without a partition commits nothing, so no commit() tells it of a copy or of an
        outage. And the group's leader, whose task it is to notice new partitions, does not know
        that it is the leader after a restart as a static member (before KIP-814).
        """
        self.checked_at = time.monotonic()
        me = consumer.group_metadata()
        try:
            group = self.admin.describe_groups([GROUP_ID])[GROUP_ID]
        except errors.RetriableError:
            if consumer.assignment():
                return  # commit() tells better than this client whether Kafka is away
            raise
        if not consumer.assignment():
            outage.is_over()
        if me.state is not MemberState.STABLE or group["group_state"] != "Stable":
            return  # the group is about to share out its partitions
        all_read = set()
        for member in group["members"]:
            if member["group_instance_id"] == CLIENT_ID and member["member_id"] != me.member_id:
                raise errors.FencedInstanceIdError
            all_read |= partitions_of(member)
        if consumer.partitions_for_topic(TOPIC) - all_read:
            rejoin(consumer)


def partitions_of(member):
    """Return the numbers of the topic's partitions that a member of the group reads."""
    assignment = member["member_assignment"] or {}
    topics = assignment.get("assigned_partitions", [])
    return {number for topic in topics if topic["topic"] == TOPIC for number in topic["partitions"]}


def place(consumer, reset):
    """Go to where the group goes on, in each assigned partition; return the Progress from there."""
    partitions = sorted(consumer.assignment())
    if not partitions:
        consumer.end_offsets([TopicPartition(TOPIC, 0)], ANSWER_MS)  # is the topic there at all?
        say(f"Waiting: the other members of group {GROUP_ID} have all partitions of {TOPIC}")
    committed = {tp: consumer.committed(tp, timeout_ms=ANSWER_MS) for tp in partitions}
    firsts = consumer.beginning_offsets(partitions, ANSWER_MS)
    ends = consumer.end_offsets(partitions, ANSWER_MS)
    starts = {}
    for tp in partitions:
        starts[tp] = choose_start(tp, committed[tp], firsts[tp], ends[tp], reset)
        consumer.seek(tp, starts[tp])
    return Progress(starts, ends)


def choose_start(tp, committed, first, end, reset):
    """Say where a partition is read on, and why; return that offset.

    Kafka has the offsets from `first` to `end` - 1; `committed` is None if the group has none.
    """
    log = f"{tp.topic}-{tp.partition}"
    why, start = "Resuming", committed
    if committed is None:
        why = f"No committed offset. Starting at the {reset}:"
        start = first if reset == "earliest" else end
    elif committed > end:
        why = f"The log is shorter than the committed offset {committed}. Starting at the earliest:"
        start = first
    elif committed < first:
        lost = count(first - committed, "message")
        say(f"LOST: retention deleted up to {lost}, offsets {committed} to {first - 1} of {log}")
        start = first
    say(f"{why} {log} at offset {start}: {count(end - start, 'offset')} behind")
    return start


def keep_join(consumer):
    """Have poll() finish a join that it gave up waiting for: a workaround for kafka-python 3.0.12.

    Without it about one start in a hundred waits for ever. need_rejoin() ignores a join that is
    under way; where it turns false before the next poll(), the finished join is never applied:
    Kafka counts the consumer as a member, and the consumer does not know its partitions. This can
    go when kafka-python's need_rejoin() is true for as long as a join is under way.
    """
    if consumer.group_metadata().state is MemberState.REBALANCING:
        rejoin(consumer)


def rejoin(consumer):
    """Have the next poll() join the group (again); kafka-python has no public call for that."""
    consumer._coordinator.rejoin_needed = True  # noqa: SLF001


def is_member(consumer):
    """Tell whether the group still counts on this consumer, as far as the consumer knows.

    If not, the partitions may be another's by now, or their log another one, as after a wipe.
    """
    return consumer.group_metadata().state is MemberState.STABLE


def show(messages):
    """Print the messages of one poll in one write: 1.2 times as fast as one write for each."""
    lines = [
        f"Received: {printable(m.value)} (partition {m.partition}, offset {m.offset})"
        for batch in messages.values()
        for m in batch
    ]
    if lines:
        say(*lines)


def printable(value):
    """Return a message's value as one line of text that can't steer the terminal."""
    if value is None:
        return "<null>"
    text = value.decode("utf-8", "backslashreplace") or "<empty>"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


if __name__ == "__main__":
    try:
        main()
        os._exit(0)  # all is done: a late second Ctrl+C must not make it look otherwise
    except errors.FencedInstanceIdError:
        die(f"Another {CLIENT_ID} has joined group {GROUP_ID}: it goes on, this one ends.")
    except BrokenPipeError:  # the reader has gone, as after `| head`: nobody is left to be told
        os._exit(0)
    except (errors.KafkaError, OSError) as error:  # OSError: as when the disk is full
        die(f"{type(error).__name__}: {error}")
