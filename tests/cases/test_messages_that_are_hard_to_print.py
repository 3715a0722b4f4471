"""Whatever a message holds is printed as one line that cannot steer the terminal; it skips and stops nothing."""

import pytest

HARD = {
    "empty": (b"", "<empty>"),
    "null": (None, "<null>"),
    "not-json": (b"hello", "hello"),
    "not-utf8": (b"\xff\xfe caf\xe9", r"\xff\xfe caf\xe9"),
    "line-breaks": (b"one\ntwo\r\nthree\x0b\x0c", r"one\ntwo\r\nthree\x0b\x0c"),
    "unicode-line-breaks": ("a\u2028b\u2029c\x85d".encode(), r"a\u2028b\u2029c\x85d"),
    "terminal-escapes": (b"\x1b[2J\x1b]0;title\x07\x1b[31mred", r"\x1b[2J\x1b]0;title\x07\x1b[31mred"),
    "c1-escapes": ("\x9b31m\x90".encode(), r"\x9b31m\x90"),
    "controls": (bytes(range(9)) + b"\x7f", r"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x7f"),
    "right-to-left-override": ("abc\u202edef\u2066".encode(), r"abc\u202edef\u2066"),
    "letters-of-the-world": ("zażółć 日本語 ✓ 🙂".encode(), "zażółć 日本語 ✓ 🙂"),
    "a-line-of-ours": (b"x\n[Consumer1] Stopped.", r"x\n[Consumer1] Stopped."),
}


@pytest.mark.parametrize(("value", "shown"), HARD.values(), ids=HARD.keys())
def test_a_hard_value_is_one_safe_line(start, kafka, topic, value, shown):
    kafka.send(topic, b"before", value, b"after")
    consumer = start("consumer1")
    assert [message.value for message in consumer.wait_for_messages(3)] == ["before", shown, "after"]
    assert consumer.interrupt() == 0
    assert not consumer.errors


def test_a_message_of_nearly_1_mb_is_printed_whole(start, kafka, topic):
    value = b"x" * 1_048_000
    kafka.send(topic, b"before", value, b"\xff" * 1_000_000, b"after")
    consumer = start("consumer1")
    texts = [message.value for message in consumer.wait_for_messages(4)]
    assert texts == ["before", value.decode(), r"\xff" * 1_000_000, "after"]


@pytest.mark.parametrize("compression_type", ["gzip", "lz4", "snappy", "zstd"])
def test_compressed_messages_are_read(start, kafka, topic, compression_type):
    values = [b"tick %d " % number * 20 for number in range(100)]
    kafka.send(topic, *values, compression_type=compression_type)
    consumer = start("consumer1")
    assert [message.value for message in consumer.wait_for_messages(100)] == [value.decode() for value in values]


def test_a_terminal_that_knows_only_ascii_gets_every_message(start, kafka, topic):
    kafka.send(topic, "zażółć".encode(), b"after")
    consumer = start("consumer1", PYTHONIOENCODING="ascii")
    assert [message.value for message in consumer.wait_for_messages(2)] == [r"za\u017c\xf3\u0142\u0107", "after"]
