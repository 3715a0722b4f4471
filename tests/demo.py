"""See why no message goes missing: two minutes, a real Kafka, the four scripts stopped and killed.

    python tests/demo.py                  on a terminal a live picture, otherwise (pipe, CI) the same as plain lines
    python tests/demo.py --fast           the same with shorter pauses: for tests, not for reading along
    python tests/demo.py --picture FILE   also film the first four steps, as an animated SVG:
                                          tests/demo.svg is one

Nothing is simulated: each number is read from the scripts' lines or from Kafka. The Kafka is the demonstration's own,
with a free port and temporary data; it needs no Docker. At the end a table compares, for each step, what Kafka stored
with what each consumer printed. The exit status is 0 only if nothing was missing, and nothing repeated, that should
not be. Ctrl+C ends the demonstration, its scripts and its Kafka at once. In a terminal, space holds the story
and lets it go on.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # while the rest is imported there is nothing to end

import argparse
import math
import sys
from pathlib import Path

from rich.console import Console

from machine.processes import now
from picture.film import Film
from picture.live import picture, terminal, typed
from running.scripts import printed_by
from story.account import account
from story.command import run_command, stage_for, tell_account
from story.stage import TOPIC
from story.steps import STEPS, play
from story.view import picture_of

# What the pauses for reading are multiplied by, and the seconds from one of a producer's ticks to the next.
TO_READ_ALONG, FAST, FOR_A_FILM = (1, 0.3), (0.1, 0.1), (0.5, 0.4)
FILMED = 4  # the last step on the film
FILM_SIZE = 100, 26  # columns and rows: an image of 824 pixels' width, which GitHub shows as large as it is
KEYS, HELD = "space: hold   Ctrl+C: end", "Held. space: go on   Ctrl+C: end"
THE_END = "The end. space: show the account   Ctrl+C: end without it"
FILM_TITLE = "consumer1 is stopped; started again, it resumes at its committed offset and catches up"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--picture", metavar="FILE", type=Path)
    options = parser.parse_args()
    run_command("demo.py", lambda: run(options))


def run(options) -> int:
    """Play the story and give the account; return the exit status."""
    live = terminal()
    console = live or Console(force_terminal=False, color_system=None, width=120)
    film = Film(*FILM_SIZE) if options.picture else None
    tell = (lambda line: None) if live else print  # what the picture does not tell

    def show(stage):
        for key in typed() if shown else "":
            stage.is_held = key == " " and not stage.is_held
        step = stage.step
        heading, texts = f"Step {step.number} of {len(STEPS)}: {step.title}", [(step.sentence, "bold"), (step.note, "")]
        if shown:
            keys = THE_END if step.ended < math.inf else HELD if stage.is_held else KEYS
            shown.update(picture_of(stage, heading, texts, [(keys, "bold")]))
        if film and step.number <= FILMED:
            film.take(picture_of(stage, heading, texts, []), now())
        assert not stage.ended_by_itself(), stage.ended_by_itself()

    tell("Starting Kafka.")
    with stage_for(FAST if options.fast else FOR_A_FILM if film else TO_READ_ALONG, tell, show) as stage:
        with picture(live, stage.resumed) as shown:
            play(stage)
            stage.is_held = bool(shown) and sys.stdin.isatty()  # the last picture stays until a key is pressed
            stage.pause(0)
        log = stage.kafka.log(TOPIC)
    if film:
        options.picture.write_text(film.svg(FILM_TITLE), "utf-8")
    runs = printed_by(stage.started)
    return tell_account(console, stage.steps, runs, account(stage.steps, runs, log))


if __name__ == "__main__":
    main()
