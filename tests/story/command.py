"""What the demonstration and play.py have in common: the way they begin, and the way they end."""

import contextlib
import logging
import subprocess
import sys

from kafka.errors import KafkaError
from rich.console import Console

from machine.processes import on_ending
from real_kafka.brokers import FORGET_THE_KILLED_SOON, Broker
from real_kafka.download import BrokerError
from story.account import verdict
from story.stage import Stage
from story.view import table_of

WHY = (
    "Why no message went missing: Kafka keeps a message in its log, read or not, until it is deleted. The committed "
    "offset is where a consumer group reads on, and a consumer commits it only after it has printed the message. So a "
    "stop, a crash or an outage can make it print a message again, but never skip one. What was deleted before the "
    "consumer came to it, it reports as LOST."
)


@contextlib.contextmanager
def stage_for(pace, tell, show):
    """Start a Kafka, with a word about it; yield a Stage on it, and end both."""
    with Console(stderr=True).status("Starting Kafka."), contextlib.ExitStack() as stack:
        broker = stack.enter_context(Broker(settings=FORGET_THE_KILLED_SOON))
        stage = stack.enter_context(contextlib.closing(Stage(broker, pace, tell, show)))
        on_ending(stage.end_soon)  # what raises amid a question to Kafka may be lost in the client
        both = stack.pop_all()
    with both:
        yield stage


def run_command(name, run) -> None:
    """Exit with run()'s status. Whatever keeps it from going on is one line; a signal ends it, and what it started."""
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # its warnings during an outage are no news
    on_ending(sys.exit)
    try:
        status = run()
    except SystemExit:
        print(f"{name}: Stopped. What it had started is gone.", file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader is gone, as in `| head`
        status = 1
    except (BrokerError, KafkaError, AssertionError, OSError, subprocess.SubprocessError) as error:
        status = f"{name}: {' / '.join(str(error).splitlines())}"
    sys.exit(status)


def tell_account(console, steps, runs, faults) -> int:
    """Tell why no message went missing, what came out of these Steps and Runs, and the verdict; return the status."""
    for text in ("", WHY, "", table_of(steps, runs), "", verdict(runs, faults)):
        console.print(text, highlight=False)
    return 1 if faults else 0
