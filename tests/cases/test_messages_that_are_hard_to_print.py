"""Whatever a message holds is printed as one line that cannot steer the terminal; it skips and stops nothing."""

HARD = {
    "empty": (b"", ""),
    "null": (None, ""),
    "not JSON": (b"hello", "hello"),
    "letters of the world": ("zażółć 日本語 ✓ 🙂".encode(), "zażółć 日本語 ✓ 🙂"),
    "a backslash": (rb"C:\new", r"C:\new"),
    "a backslash and a line break": (b"C:\\new\n", r"C:\\new\n"),
    "not UTF-8": (b"\xff\xfe caf\xe9", r"\xff\xfe caf\xe9"),
    "not UTF-8, and a line break": (b"\xff\n", r"\\xff\n"),
    "line breaks": (b"one\ntwo\r\nthree\x0b\x0c", r"one\ntwo\r\nthree\x0b\x0c"),
    "Unicode's line breaks": ("a\u2028b\u2029c\x85d".encode(), r"a\u2028b\u2029c\x85d"),
    "terminal escapes": (b"\x1b[2J\x1b]0;title\x07\x1b[31mred", r"\x1b[2J\x1b]0;title\x07\x1b[31mred"),
    "escapes of one character": ("\x9b31m\x90".encode(), r"\x9b31m\x90"),
    "controls": (bytes(range(9)) + b"\x7f", r"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x7f"),
    "right to left": ("abc\u202edef\u2066".encode(), r"abc\u202edef\u2066"),
    "a line of ours": (b"x\n[Consumer1] Stopped.", r"x\n[Consumer1] Stopped."),
}


def test_a_hard_value_is_one_safe_line(start, kafka, topic):
    kafka.send(topic, *[value for value, _ in HARD.values()], b"after")
    consumer = start("consumer1")
    consumer.wait_for(r"Received: after")
    assert consumer.interrupt() == 0
    printed = {message.offset: message.value for message in consumer.messages()}
    assert {name: printed.get(offset) for offset, name in enumerate(HARD)} == {
        name: shown for name, (_, shown) in HARD.items()
    }
    assert sum("Received" in line.text for line in consumer.output) == len(HARD) + 1
    assert all(line.text.startswith("[Consumer1] ") for line in consumer.output)
    assert not consumer.errors


def test_a_message_of_nearly_1_mb_is_printed_whole(start, kafka, topic):
    kafka.send(topic, b"before", b"x" * 1_048_000, b"\xff" * 1_000_000, b"after")
    consumer = start("consumer1")
    texts = [message.value for message in consumer.wait_for_messages(4)]
    assert texts == ["before", "x" * 1_048_000, r"\xff" * 1_000_000, "after"]


def test_compressed_messages_are_read(start, kafka, topic):
    expected = []
    for compression_type in ("gzip", "lz4", "snappy", "zstd"):
        texts = [f"{compression_type} {number} " * 20 for number in range(100)]
        kafka.send(topic, *[text.encode() for text in texts], compression_type=compression_type)
        expected += texts
    consumer = start("consumer1")
    assert [message.value for message in consumer.wait_for_messages(400)] == expected


def test_a_terminal_that_knows_only_ascii_gets_every_message(start, kafka, topic):
    kafka.send(topic, "zażółć".encode(), b"after")
    consumer = start("consumer1", PYTHONIOENCODING="ascii")
    assert [message.value for message in consumer.wait_for_messages(2)] == [r"za\u017c\xf3\u0142\u0107", "after"]
