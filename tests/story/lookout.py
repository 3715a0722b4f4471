"""What Kafka has now, asked again and again while the demonstration goes on: for its picture."""

import threading

from kafka.errors import KafkaError

from sight.happenings import Story
from sight.look import LogLook
from sight.observer import Observer

EVERY = 0.2  # seconds from one look to the next


class Lookout(threading.Thread):
    """Looks several times a second; while Kafka is away, what it answered last stays.

    Args:
        servers: where Kafka listens.
        topic: of which partition 0 is looked at.
        groups: {consumer: its group}.

    Attributes:
        log: the partition's LogLook.
        committed: {consumer: its group's committed offset}, without those that have none.
    """

    def __init__(self, servers, topic, groups):
        super().__init__(daemon=True)
        self.groups = groups
        self.log, self.committed = LogLook(0, 0), {}
        self.over = threading.Event()
        self._observer = Observer(servers, topic, groups.values())
        self._story = Story(topic, servers)

    def run(self):
        while not self.over.wait(EVERY):
            try:
                look = self._observer.look()
            except KafkaError:
                continue
            self._story.see(look)
            self.log = look.logs.get(0, self.log)
            offsets = {
                name: look.groups[group].committed.get(0) for name, group in self.groups.items() if group in look.groups
            }
            self.committed = {name: o for name, o in offsets.items() if o is not None}

    def trend(self, name) -> str:
        """Return what a consumer's lag does: "grows", "shrinks", "stands", or "" if it has none."""
        return self._story.trend(self.groups[name], 0)
