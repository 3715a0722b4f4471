"""Any message is printed as one line that cannot steer the terminal. No message makes the consumer skip or stop."""

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
    "nearly 1 MB": (b"x" * 1_048_000, "x" * 1_048_000),
    "nearly 1 MB, not UTF-8": (b"\xff" * 1_000_000, r"\xff" * 1_000_000),
    "a line of ours": (b"x\n[Consumer1] Stopped.", r"x\n[Consumer1] Stopped."),
}


def test_a_hard_value_is_one_safe_line_however_it_was_compressed(start, kafka, topic):
    compressions = None, "gzip", "lz4", "snappy", "zstd"
    for compression in compressions:
        kafka.send(topic, *[value for value, _ in HARD.values()], compression_type=compression)
    consumer = start("consumer1")
    printed = [message.value for message in consumer.wait_for_messages(len(HARD) * len(compressions))]
    names = [f"{name}, {compression}" for compression in compressions for name in HARD]
    shown = [shown for _, shown in HARD.values()] * len(compressions)
    assert dict(zip(names, printed, strict=True)) == dict(zip(names, shown, strict=True))
    assert consumer.interrupt() == 0
    assert all(line.text.startswith("[Consumer1] ") for line in consumer.output)
    assert not consumer.errors


def test_a_terminal_that_knows_only_ascii_gets_every_message(start, kafka, topic):
    kafka.send(topic, "zażółć".encode(), b"after")
    consumer = start("consumer1", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert [message.value for message in consumer.wait_for_messages(2)] == [r"za\u017c\xf3\u0142\u0107", "after"]
