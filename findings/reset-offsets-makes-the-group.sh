#!/usr/bin/env bash
# Resetting the offsets of a misspelt group makes that group.
#
# Guess:   A group that does not exist is an error.
# Happens: kafka-python's command line answers NoError with status 0, and a new, empty group has the offset.
# Matters: To whoever rewinds a group and wonders why nothing is read again.
# Witness: When this changes, tests/TROUBLESHOOTING.md's line on `reset-offsets` and a misspelt group can go.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: groups before: []
#   saw: reset-offsets -g raeders, a misspelt name: status 0
#   {'ticks': {0: {'error': 'NoError', 'offset': 0}}}
#   saw: groups after: [{'group_id': 'raeders',
#     'group_state': 'Empty',
#     'group_type': 'classic',
#     'protocol_type': ''}]

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
kadm() { "$PYTHON" -m kafka.admin -b "$KAFKA" "$@"; }
kadm topics create -t ticks --num-partitions 1 >"$WORK/out"
for _ in $(seq 60); do # the first question about a group makes __consumer_offsets
    kadm groups list-offsets -g readers >"$WORK/out" 2>&1 && break
    sleep 1
done
before=$(kadm groups list)
echo "saw: groups before: $before"
kadm groups reset-offsets -g raeders -p ticks:0 -s earliest >"$WORK/out" 2>&1 ||
    changed "reset-offsets refuses a group that is not there"
echo "saw: reset-offsets -g raeders, a misspelt name: status 0"
cat "$WORK/out"
after=$(kadm groups list)
echo "saw: groups after: $after"
[[ $after == *raeders* ]] || changed "reset-offsets makes no group"
