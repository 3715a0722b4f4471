"""A real Apache Kafka without Docker.

    python tests/broker.py            start it on 127.0.0.1:9092, in the foreground; Ctrl+C ends it
    python tests/broker.py --fresh    the same, but forget all messages and offsets of earlier runs
    python tests/broker.py --version 3.9.1    another version of Kafka, with messages of its own

It is the Kafka of docker-compose.yml: the image's version, set up from the file's own environment block by
the code that the image itself runs at its start (kafka.docker.KafkaDockerWrapper). Its jars come from Maven
Central, once, and its Java runtime from PyPI, so that it needs no Docker, Java or Maven. Unlike a container
it shares this machine's network, so it listens on 127.0.0.1 alone.
"""

import argparse
import contextlib
import sys

from machine.processes import on_ending
from real_kafka.brokers import Broker, BrokerError
from real_kafka.files import CACHE, compose_version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start from nothing: forget messages and offsets")
    parser.add_argument("--port", type=int, default=9092, help="the port of 127.0.0.1 (default: 9092)")
    help_text = f"the version of Kafka (default: docker-compose.yml's, {compose_version()})"
    parser.add_argument("--version", default=compose_version(), help=help_text)
    options = parser.parse_args()

    on_ending(lambda _: sys.exit())
    directory = CACHE / f"data-{options.version}-{options.port}"  # older versions cannot read what newer ones wrote
    broker = Broker(options.port, directory, version=options.version)
    try:
        if options.fresh:
            broker.wipe()
        print("Starting Kafka.", flush=True)
        broker.start()
        print(f"Kafka is ready on {broker.bootstrap_servers}. Ctrl+C stops it; its messages stay for the next start.")
        sys.stdout.flush()
        status = broker.process.wait()
        sys.exit(f"broker.py: Kafka ended by itself (status {status}). {broker.why_it_ended()}")
    except OSError as error:
        sys.exit(f"broker.py: {error}. Kafka needs room on a disk to write on, and a Java that may run (no noexec).")
    except (BrokerError, OverflowError) as error:  # such as a port above 65535
        sys.exit(f"broker.py: {error}")
    finally:
        with contextlib.suppress(OSError):  # the terminal may be gone
            if broker.process and broker.process.poll() is None:
                print("Stopping Kafka.", flush=True)
        broker.stop()


if __name__ == "__main__":
    main()
