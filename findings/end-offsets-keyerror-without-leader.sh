#!/usr/bin/env bash
# end_offsets() of two partitions raises KeyError if one of them has no leader.
#
# Guess:   It waits, and raises KafkaTimeoutError or returns the offsets that it has.
# Happens: With two partitions it is a KeyError, which is no KafkaError. Asked for the leaderless one alone it
#          is a KafkaTimeoutError.
# Matters: To tools that measure the lag of a topic while a broker is down.
# Witness: When this changes, one reason less to ask with an admin client in consumer1.py's place().
# Seen:    2026-11-29, with kafka-python 3.0.12, two Apache Kafka 4.3.1, Python 3.11:
#
#   saw: both leaders there: [0, 0]
#   saw: end_offsets of both: KeyError; of each alone: [0], KafkaTimeoutError

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka broker.session.timeout.ms=3000 broker.heartbeat.interval.ms=500
# A second broker, with one partition of its own.
second=127.0.0.1:$("$PYTHON" "$LIB/finding.py" | cut -d' ' -f1)
sed -e 's|^node.id=1|node.id=2|' -e 's|^process.roles=.*|process.roles=broker|' -e "s|^log.dirs=.*|log.dirs=$WORK/second|" \
    -e "s|^listeners=.*|listeners=PLAINTEXT://$second|" "$WORK/server.properties" >"$WORK/second.properties"
"$JAVA" -cp "$JARS/*" kafka.tools.StorageTool format -t 5L6g3nShT-eMCtK--X86sw -c "$WORK/second.properties" \
    >"$WORK/second.log" 2>&1
"$JAVA" -Xmx512m -XX:+UseSerialGC -cp "$JARS/*" kafka.Kafka "$WORK/second.properties" >"$WORK/second.log" 2>&1 &
export SECOND=$!
disown
STARTED="$STARTED $SECOND"
"$PYTHON" - <<'PY'
import contextlib
import os
import signal

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition, errors
from kafka.admin import NewTopic

admin = KafkaAdminClient(bootstrap_servers=os.environ["KAFKA"])


def create():
    with contextlib.suppress(errors.InvalidReplicationAssignmentError):  # the second broker is not there yet
        return admin.create_topics([NewTopic("ticks", replica_assignments={0: [1], 1: [2]})])


expect(wait_for(create), "no second broker")
consumer = KafkaConsumer(bootstrap_servers=os.environ["KAFKA"], request_timeout_ms=5000)
both = [TopicPartition("ticks", number) for number in (0, 1)]
expect(wait_for(lambda: len(consumer.partitions_for_topic("ticks") or ()) == 2), "no topic")
saw(f"both leaders there: {sorted(consumer.end_offsets(both).values())}")
os.kill(int(os.environ["SECOND"]), signal.SIGKILL)


def ends(partitions):
    try:
        return sorted(consumer.end_offsets(partitions).values())
    except (KeyError, errors.KafkaError) as error:
        return type(error).__name__


raised = wait_for(lambda: ends(both) == "KeyError")
saw(f"end_offsets of both: {ends(both)}; of each alone: {ends(both[:1])}, {ends(both[1:])}")
expect(ends(both[:1]) == [0], "end_offsets() does not answer for the partition that has its leader")
expect(raised, "end_offsets() of both raises no KeyError")
PY
