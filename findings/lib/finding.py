"""What the Python in these scripts shares: saying what was seen, and waiting for it in peace."""

import random
import socket
import sys
import time


def unexpected(kind, error, _traceback):
    what = f"an error that this script does not expect: {kind.__name__}: {error}"
    print(f"CHANGED: {what}", file=sys.stderr)


sys.excepthook = unexpected


def saw(line):
    print(f"saw: {line}", flush=True)


def expect(condition, change):
    """End the script with 1 and say what has changed, unless all is as the script states."""
    if not condition:
        sys.exit(f"CHANGED: {change}")


def wait_for(question, seconds=60, every=0.1):
    """Ask until the answer is true, or the time is over; return the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(every)


def free_ports(count):
    """Ports of 127.0.0.1 that nobody uses, below those that systems give to clients."""
    found = []
    while len(found) < count:
        port = random.randrange(20_000, 30_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
    return found


if __name__ == "__main__":
    print(*free_ports(2))
