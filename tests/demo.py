"""See why no message goes missing: a minute and a half, a real Kafka, the four scripts stopped and killed.

    python tests/demo.py                  on a terminal a live picture, otherwise (pipe, CI) the same as plain lines
    python tests/demo.py --fast           the same with shorter pauses: for tests, not for reading along
    python tests/demo.py --picture FILE   also film the first four steps, as an animated SVG:
                                          tests/demo.svg is one

Nothing is simulated: each number is read from the scripts' lines or from Kafka. The Kafka is the demonstration's own,
with a free port and temporary data; it needs no Docker. At the end a table compares, for each step, what Kafka stored
with what each consumer printed. The exit status is 0 only if nothing was missing, and nothing repeated, that should
not be. Ctrl+C ends the demonstration, its scripts and its Kafka at once.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # while the rest is imported there is nothing to end

import argparse
import contextlib
import logging
import subprocess
import sys
from pathlib import Path

from kafka.errors import KafkaError
from rich.console import Console

from machine.processes import now, on_ending
from picture.film import Film
from picture.live import picture, terminal
from real_kafka.brokers import Broker
from real_kafka.download import BrokerError
from running.scripts import printed_by
from story.account import account, verdict
from story.stage import TOPIC, Stage
from story.steps import play
from story.view import picture_of, table_of

# What the pauses for reading are multiplied by, and the seconds from one of a producer's ticks to the next.
TO_READ_ALONG, FAST, FOR_A_FILM = (1, 0.3), (0.1, 0.1), (0.5, 0.4)
FILMED = 4  # the last step on the film
FILM_SIZE = 100, 26  # columns and rows: an image of 824 pixels' width, which GitHub shows as large as it is
FILM_TITLE = "consumer1 is stopped; started again, it resumes at its committed offset and catches up"
WHY = (
    "Why no message went missing: Kafka keeps a message in its log, read or not, until retention deletes it. The "
    "committed offset is where a consumer group reads on, and a consumer commits it only after it has printed the "
    "message. So a stop, a crash or an outage can make it read a message again, but never skip one."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--picture", metavar="FILE", type=Path)
    options = parser.parse_args()
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # its warnings during the outage are no news
    on_ending(sys.exit)
    try:
        status = run(options)
    except SystemExit:
        print("demo.py: Stopped. What it had started is gone.", file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader is gone, as in `| head`
        status = 1
    except (BrokerError, KafkaError, AssertionError, OSError, subprocess.SubprocessError) as error:
        status = f"demo.py: {' / '.join(str(error).splitlines())}"
    sys.exit(status)


def run(options) -> int:
    """Play the story and give the account; return the exit status."""
    live = terminal()
    console = live or Console(force_terminal=False, color_system=None, width=120)
    film = Film(*FILM_SIZE) if options.picture else None
    tell = (lambda line: None) if live else print  # what the picture does not tell

    def show(stage):
        drawn = picture_of(stage)
        if shown:
            shown.update(drawn)
        if film and stage.step.number <= FILMED:
            film.take(drawn, now())

    print("Starting Kafka.")
    pace = FAST if options.fast else FOR_A_FILM if film else TO_READ_ALONG
    with Broker() as broker, contextlib.closing(Stage(broker, pace, tell, show)) as stage:
        on_ending(stage.end_soon)  # what raises amid a question to Kafka may be lost in the client
        with picture(live, stage.resumed) as shown:
            play(stage)
        log = stage.kafka.log(TOPIC)
    if film:
        options.picture.write_text(film.svg(FILM_TITLE), "utf-8")
    told = printed_by(stage.started)
    faults = account(stage.steps, told, log)
    for text in ("", WHY, "", table_of(stage.steps, told), "", verdict(told, faults)):
        console.print(text, highlight=False)
    return 1 if faults else 0


if __name__ == "__main__":
    main()
