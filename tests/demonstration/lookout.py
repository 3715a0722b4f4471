"""What Kafka has now, asked again and again while the demonstration goes on: for its picture."""

import contextlib
import threading
import time
from collections import deque

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec

EVERY = 0.2  # seconds from one look to the next
MEMORY = 10  # looks: over so many a lag grows or shrinks


class Lookout(threading.Thread):
    """Asks Kafka several times a second; while Kafka is away, what it answered last stays.

    Args:
        servers: where Kafka listens.
        topic: of which partition 0 is looked at.
        groups: {consumer: its group}.

    Attributes:
        first, end: the log's oldest offset and the next one.
        committed: {consumer: its group's committed offset}, without those that have none.
    """

    def __init__(self, servers, topic, groups):
        super().__init__(daemon=True)
        self.servers, self.partition, self.groups = servers, TopicPartition(topic, 0), groups
        self.first, self.end, self.committed = 0, 0, {}
        self.over = threading.Event()
        self._lags = {name: deque(maxlen=MEMORY) for name in groups}

    def run(self):
        while not self.over.is_set():
            with contextlib.suppress(Exception):  # a Kafka that comes or goes fails in many ways
                self.watch()
            time.sleep(EVERY)

    def watch(self):
        client = KafkaAdminClient(
            bootstrap_servers=self.servers,
            bootstrap_timeout_ms=2000,
            request_timeout_ms=2000,
            reconnect_backoff_max_ms=500,
        )
        with contextlib.closing(client):
            while not self.over.wait(EVERY):
                self.look(client)

    def look(self, client):
        """Ask first for the committed offsets, so that a lag is never negative."""
        found = client.list_group_offsets(list(self.groups.values()))
        committed = {
            name: found[group][self.partition].offset
            for name, group in self.groups.items()
            if self.partition in found.get(group, {})
        }
        first, end = (
            client.list_partition_offsets({self.partition: spec})[self.partition].offset
            for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST)
        )
        self.first, self.end, self.committed = first, end, committed
        for name, offset in committed.items():
            self._lags[name].append(end - offset)

    def trend(self, name) -> str:
        """Return whether a consumer's lag "grows" or "shrinks", or "" if it does neither."""
        lags = list(self._lags[name])
        if not lags or max(lags) < MEMORY / 2:
            return ""
        return {True: "grows", False: ""}[lags[-1] > lags[0]] or (
            "shrinks" if lags[-1] < lags[0] else ""
        )
