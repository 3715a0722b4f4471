"""Print every message of a Kafka topic; when started again, go on at the consumer group's committed offset.

No message goes missing: an offset is committed after its message is printed and flushed, never before. So a crash can
repeat the messages of one poll, but not lose one. Ctrl+C repeats nothing; a second Ctrl+C ends the script at once.

Settings, read from the environment:
  KAFKA_BOOTSTRAP_SERVERS  where Kafka listens: host:port, comma-separated for a cluster (default: localhost:9092)
  KAFKA_TOPIC              the topic to read (default: stock-market)
  KAFKA_GROUP_ID           the consumer group whose committed offset counts (default: stock-group1)
  KAFKA_AUTO_OFFSET_RESET  where a group without a committed offset starts: earliest or latest (default: earliest)
"""

import os
import signal
import time

NAME, CLIENT_ID, consumer, stopping = "Consumer1", "consumer1", None, []  # stopping: when Ctrl+C or SIGTERM came


def stop(number, _frame):
    if not consumer or (stopping and time.monotonic() - stopping[0] > 0.1):  # sooner is the same one, delivered twice
        os._exit(128 + number if consumer else 0)  # the second time, or with nothing to save yet: at once
    stopping.append(time.monotonic())


for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, stop)

import gc
import re
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition, admin, errors


def die(reason):
    print(f"[{NAME}] {reason}", file=sys.stderr, flush=True)
    os._exit(1)


def setting(name, default, pattern, hint):
    value = os.environ.get(name, default)
    return value if re.fullmatch(pattern, value) else die(f"{name}={value!r} can't be used: write {hint}.")


def say(*lines):
    """Print lines at once. Return None: `flag = say(...)` also clears the flag."""
    print("\n".join(f"[{NAME}] {line}" for line in lines), flush=True)


def printable(value):
    """Return a message's value as one line of text that can't steer the terminal."""
    text = "<null>" if value is None else value.decode("utf-8", "backslashreplace") or "<empty>"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def place(reset):
    """Seek each assigned partition to where its group goes on, and say so. Return the starts, the ends, the lag."""
    starts = {tp: consumer.committed(tp, timeout_ms=2000) for tp in sorted(consumer.assignment())}
    low, ends, out = consumer.beginning_offsets(starts, 2000), consumer.end_offsets(starts, 2000), []
    for tp, start in starts.items():
        how, log = "Resuming", f"{tp.topic}-{tp.partition}"
        if start is None or start > ends[tp]:  # never committed, or for a log that was wiped since
            how, start = f"No committed offset. Starting at the {reset}:", (low if reset == "earliest" else ends)[tp]
        elif start < low[tp]:
            out += [f"LOST: retention deleted {low[tp] - start} messages, offsets {start} to {low[tp] - 1} of {log}"]
        starts[tp] = start = max(start, low[tp])
        out += [f"{how} {log} at offset {start}: {ends[tp] - start} messages behind"]
        consumer.seek(tp, start)
    say(*(out or [f"Waiting: the other members of group {GROUP_ID} have all partitions of {TOPIC}"]))
    return starts, ends, sum(ends.values()) - sum(starts.values())


sys.excepthook = lambda kind, error, _: os._exit(0) if kind is BrokenPipeError else die(f"{kind.__name__}: {error}")
gc.set_threshold(100_000)  # no search for cycles after every few messages: there are none
sys.stdout.reconfigure(errors="backslashreplace")  # for a terminal that lacks a letter
if unknown := ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter).parse_known_args()[1]:
    die(f"Unknown argument {unknown[0]!r}: the settings come from the environment, see --help.")
SERVERS = setting("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092", r"[^\s/,]+:\d+(,[^\s/,]+:\d+)*", "host:port").split(",")
TOPIC = setting("KAFKA_TOPIC", "stock-market", r"(?!\.\.?$)[a-zA-Z0-9._-]{1,249}", "letters, digits, dots, _ or -")
GROUP_ID = setting("KAFKA_GROUP_ID", "stock-group1", r"[!-~]{1,249}", "letters, digits and signs")
RESET = setting("KAFKA_AUTO_OFFSET_RESET", "earliest", "earliest|latest", "earliest or latest")
try:
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=SERVERS,
        client_id=CLIENT_ID,
        group_id=GROUP_ID,
        group_instance_id=CLIENT_ID,  # static membership: after a kill -9 the restart gets its partitions at once
        session_timeout_ms=7000,  # after a kill -9 without a restart, others of the group get them
        enable_auto_commit=False,  # commit what is printed, not what is fetched
        auto_offset_reset="none",  # no silent jump: place() decides, and says so
        max_poll_records=20000,  # few commits while catching up; a live message does not wait for others
        bootstrap_timeout_ms=8000,
        reconnect_backoff_max_ms=1000,  # go on soon after Kafka is back
    )
except (errors.KafkaError, ValueError):
    die(f"KAFKA_BOOTSTRAP_SERVERS={','.join(SERVERS)}: no Kafka answers there. Start it, or correct the address.")

member, away, asked, missed, printed, committed = None, False, 0, 0, {}, {}
while not stopping or (printed != committed and time.monotonic() < stopping[0] + 4):
    try:
        if not member:  # it must know the topic before it joins: an empty assignment would outlive a kill -9
            consumer.end_offsets([TopicPartition(TOPIC, 0)], timeout_ms=4000)
        if (group := consumer.group_metadata()) != member and "stable" in group.state:  # it has joined, or joined again
            printed, ends, missed = place(RESET)
            member, committed, since, RESET = group, {}, time.monotonic(), "earliest"  # "latest": at a first start only
        batch = consumer.poll(timeout_ms=500)
        if (group := consumer.group_metadata()) != member:
            # Where a poll() ends amid a join, kafka-python 3.0.12 may forget that join and wait forever.
            consumer._coordinator.rejoin_needed |= "rebalancing" in group.state
            continue  # place() decides where to read on
        if records := [record for partition in batch.values() for record in partition]:
            say(*(f"Received: {printable(r.value)} (partition {r.partition}, offset {r.offset})" for r in records))
            printed = printed | {tp: batch[tp][-1].offset + 1 for tp in batch}
        if printed != committed or time.monotonic() > asked + 2:  # when idle: is Kafka there, does the group know us?
            consumer.commit({tp: OffsetAndMetadata(printed[tp], "", -1) for tp in printed}, timeout_ms=4000)
            committed, asked, away = printed, time.monotonic(), away and say("Kafka answers again.")
        if missed and all(consumer.position(tp, timeout_ms=2000) >= ends[tp] for tp in ends):
            missed = say(f"Caught up: {missed} messages in {time.monotonic() - since:.1f} s")
    except (errors.NoOffsetForPartitionError, errors.OffsetOutOfRangeError, errors.LogTruncationError):
        member = None  # place() decides
    except (errors.CommitFailedError, errors.RebalanceInProgressError):
        pass  # the group went on without this consumer: poll() joins again
    except errors.FencedInstanceIdError:
        die(f"Another {CLIENT_ID} has joined group {GROUP_ID}: it goes on, this one ends.")
    except errors.RetriableError:
        away = away or not say("Kafka does not answer: waiting for it.")

for tp, offset in committed.items():
    say(f"Stopped. The next start resumes {tp.topic}-{tp.partition} at offset {offset}.")
if member and not away:  # leave the group, or its partitions stay reserved for session_timeout_ms
    sys.excepthook = lambda *_: os._exit(0)  # if that fails, they do
    client = KafkaAdminClient(bootstrap_servers=SERVERS, bootstrap_timeout_ms=2000)
    client.remove_group_members(GROUP_ID, [admin.MemberToRemove(member.member_id, CLIENT_ID)])
os._exit(0)  # all is done: a late second signal must not make it look otherwise
