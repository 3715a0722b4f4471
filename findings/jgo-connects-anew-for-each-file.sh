#!/usr/bin/env bash
# jgo opens two connections for each file that it fetches from Maven Central.
#
# Guess:   A resolver keeps its connections.
# Happens: Every question is a connection of its own: for Kafka's jars 254 of them, 18 s for a download of 1 s.
# Matters: To whoever gets jars by way of jgo at each start of a fresh machine.
# Witness: When this changes, tests/real_kafka/download.py need not lend it a session, nor lib/maven.py here.
# Seen:    2026-11-29, with jgo 3.2.0, kafka-clients 4.3.1, Python 3.11:
#
#   saw: 11 files for 5 jars, in 22 connections

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
"$PYTHON" - <<'PY'
import os
from pathlib import Path

import urllib3
from finding import expect, saw
from jgo.maven import MavenContext, PythonResolver
from jgo.parse import Coordinate

connections = []
connect = urllib3.connection.HTTPSConnection.connect


def counted(self):
    connections.append(self.host)
    connect(self)


urllib3.connection.HTTPSConnection.connect = counted
context = MavenContext(resolver=PythonResolver(), repo_cache=Path(os.environ["WORK"]) / "maven")
clients = context.create_dependency(Coordinate("org.apache.kafka", "kafka-clients", "4.3.1", scope="compile"))
wanted, others = context.resolver.resolve([clients])
jars = [each.artifact.resolve().name for each in [*wanted, *others] if each.scope in ("compile", "runtime")]
files = [path for path in (Path(os.environ["WORK"]) / "maven").rglob("*") if path.is_file()]
saw(f"{len(files)} files for {len(jars)} jars, in {len(connections)} connections")
expect(len(connections) >= len(files), "jgo uses a connection more than once")
PY
