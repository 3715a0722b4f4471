"""Measure consumer1.py beside other clients' consumers, and print Markdown tables.

    python tests/benchmark.py                    about seven minutes, on a broker of its own
    python tests/benchmark.py --short            less than two minutes: fewer messages, restarts and rounds
    python tests/benchmark.py --only consumer1 --only aiokafka

For each: the silence from a restart to the first message; messages missing and repeated while it is ended and started
again and messages arrive; and how fast it catches up. Each has the settings of its own documentation.
"""

import argparse
import sys


def report(text) -> None:
    """Tell on stderr what is measured now: stdout is for the tables."""
    print(f"benchmark.py: {text}", file=sys.stderr, flush=True)


def positive(text) -> int:
    """Return a command line's number.

    Raises:
        argparse.ArgumentTypeError: it is no whole number above 0.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """End with one line, without the usage."""
        sys.exit(f"benchmark.py: {message}")


def options(keys) -> argparse.Namespace:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="less than two minutes")
    parser.add_argument("--messages", type=positive, metavar="N", help="how many they have missed")
    parser.add_argument("--restarts", type=positive, metavar="N", help="how often each is ended in each way")
    parser.add_argument("--only", action="append", choices=keys, metavar="NAME", help=", ".join(keys))
    return parser.parse_args()


def main() -> None:
    if sys.platform == "win32":
        sys.exit("benchmark.py: it ends consumers with Unix signals, so it needs Linux or macOS.")
    from kafka.errors import KafkaError  # noqa: PLC0415 - what Windows lacks comes after this check

    from local_kafka.download import BrokerError  # noqa: PLC0415
    from local_kafka.processes import ignore_ending, on_ending  # noqa: PLC0415
    from peers import catalogue, measuring  # noqa: PLC0415

    def leave(*_):
        ignore_ending()
        raise SystemExit(130)

    chosen = options(list(catalogue.PEERS))
    plan = measuring.SHORT if chosen.short else measuring.FULL
    plan = plan._replace(messages=chosen.messages or plan.messages, restarts=chosen.restarts or plan.restarts)
    keys = [key for key in catalogue.PEERS if key in (chosen.only or catalogue.PEERS)]
    on_ending(leave)
    try:
        print(measuring.measure(plan, keys, report))
    except (AssertionError, BrokerError, KafkaError) as error:
        sys.exit(f"benchmark.py: {error}")


if __name__ == "__main__":
    main()
