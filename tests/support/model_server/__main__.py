"""`python -m tests.support.model_server --port 9000 --pace 50`: a model that streams lorem ipsum.

For manual runs and benchmarks. Each reply has `--words` words, at `--pace` words a second.
"""

from __future__ import annotations

import argparse
import sys
import threading
from itertools import cycle, islice

from tests.support.model_server import ModelServer, Pause, Step

LOREM = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt "
    "ut labore et dolore magna aliqua. "
)


def lorem(words: int, pace: float) -> tuple[Step, ...]:
    steps: list[Step] = []
    for word in islice(cycle(LOREM.split()), words):
        steps.append(word + " ")
        if pace:
            steps.append(Pause(1 / pace))
    return tuple(steps)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.model_server", description=__doc__
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--pace", type=float, default=50, help="words a second; 0: as fast as it goes"
    )
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--model", action="append", default=[], help="a model to list; repeatable")
    options = parser.parse_args()
    with ModelServer(port=options.port, models=options.model or ["lorem"]) as server:
        server.default = lorem(options.words, options.pace)
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
