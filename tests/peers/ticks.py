"""Numbered ticks: the message at offset N has the price N, so a line that shows a tick names it.

So even a consumer that prints values alone can be judged. Each topic has one partition.
"""

import re
import time

from confluent_kafka import Producer

PRICE = re.compile(rb'"price":"(\d+)\.00"')


def tick(number) -> bytes:
    return b'{"symbol":"AAPL","price":"%d.00","broker":"Broker1"}' % number


def numbers(output) -> list[int]:
    """Return the numbers of the ticks in what a consumer printed, without a last line that is torn."""
    return [int(found) for found in PRICE.findall(output, 0, output.rfind(b"\n") + 1)]


class Stream:
    """Sends ticks to a topic; the first number is 0.

    Attributes:
        sent: how many it has sent. They are stored when `flush` returns.
    """

    def __init__(self, servers, topic):
        quiet = {"log_level": 0, "queue.buffering.max.messages": 0}
        once = {"enable.idempotence": True, "linger.ms": 5}
        self._producer = Producer({"bootstrap.servers": servers, **quiet, **once})
        self._topic = topic
        self._first = None
        self.sent = 0

    def send(self, count) -> None:
        for _ in range(count):
            self._producer.produce(self._topic, tick(self.sent))
            self.sent += 1
            if self.sent % 10_000 == 0:
                self._producer.poll(0)
        self._producer.poll(0)

    def send_due(self, rate) -> None:
        """Send what is due by now, at so many a second from the first call on."""
        self._first = self._first or time.monotonic()
        self.send(int((time.monotonic() - self._first) * rate) + 1 - self.sent)

    def flush(self) -> None:
        """Wait until all are stored.

        Raises:
            AssertionError: after 60 s some are not.
        """
        left = self._producer.flush(60)
        assert not left, f"Kafka has not stored {left} ticks within 60 s"
