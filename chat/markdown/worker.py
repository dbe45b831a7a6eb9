"""The process in which texts are rendered: other people's code at work on hostile text.

`python -m chat.markdown.worker` is a template: for each socket that arrives on its standard input it
forks a worker, which has all modules loaded. A worker answers one job after another. A text's limit
is processor time: the kernel ends the process when it is used up, whatever holds the interpreter.
Before each code block the worker reports it, so that the server knows which one killed it.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from time import process_time
from typing import Any

from chat.markdown.blocks import blocks
from chat.markdown.code import highlight_code, lexer_of
from chat.markdown.jobs import receive, seconds_for, seconds_for_code, send
from chat.markdown.renderer import cleaner, parser, render, render_reply

NICENESS = 5
"""Relaying tokens takes precedence."""
MEMORY = 512 * 1024 * 1024
"""Bytes of a worker's address space. A worker that has used much memory ends after its job."""
GROWN = 192 * 1024
"""KiB of memory from which a worker ends after its job."""
MOST_JOBS = 1000
"""Jobs of one worker."""

LOADING_SECONDS = 1.0
"""Processor seconds for loading the rules of a text's languages: trusted code, but there are 600."""


def main() -> None:
    """Fork a worker for each socket that arrives, until the server is gone."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the server says when to end
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps workers
    for is_reply in (False, True):
        parser(is_reply=is_reply)
        cleaner(is_reply=is_reply)
    with socket.socket(fileno=sys.stdin.fileno()) as requests:
        while True:
            data, descriptors, _, _ = socket.recv_fds(requests, 1, 1)
            if not data:
                return
            for descriptor in descriptors:
                with socket.socket(fileno=descriptor) as connection, suppress(OSError):
                    if os.fork() == 0:
                        requests.close()
                        _work(connection)


def _work(connection: socket.socket) -> None:
    """Run a worker."""
    status = 1
    try:
        os.nice(NICENESS)
        with suppress(ValueError, OSError):  # macOS has no such limit
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        with suppress(EOFError, OSError):
            answer_all(connection)
            status = 0
    finally:
        os._exit(status)


def answer_all(connection: socket.socket) -> None:
    """Answer jobs until the server is gone, or until it is time for a new worker."""
    send(connection, {"ready": True})
    for number in range(1, MOST_JOBS + 1):
        answer = _answer(receive(connection), connection)
        has_grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > GROWN
        is_last = has_grown or number == MOST_JOBS
        send(connection, {**answer, "is_last": is_last})
        if is_last:
            return


def _answer(job: dict[str, Any], connection: socket.socket) -> dict[str, Any]:
    began = process_time()
    text, code = job["text"], Code(job, connection)
    answer: dict[str, Any] = {}
    try:
        with limit_cpu(seconds_for(text)):
            if job["kind"] == "blocks":
                found = blocks(text, is_whole=job["is_whole"], code=code)
                answer = {"blocks": [(block.html, block.end) for block in found]}
            elif job["kind"] == "reply":
                answer = {"html": render_reply(text, code)}
            else:
                answer = {"html": render(text, code)}
    except Exception as error:  # a fault of the library, on a text made for that, or no memory
        answer["error"] = type(error).__name__
    return {**answer, "is_partial": code.left_out, "cpu": process_time() - began}


class Code:
    """Highlights the code blocks of one text, within limits."""

    def __init__(self, job: dict[str, Any], connection: socket.socket) -> None:
        self.left_out = bool(job["plain"])
        """Whether a block that could be highlighted is shown as plain text."""
        self._plain = set(job["plain"])
        self._connection = connection
        self._seconds = seconds_for(job["text"]) if job["highlights"] else 0.0
        self._loading = LOADING_SECONDS
        self._number = -1

    def __call__(self, code: str, language: str) -> str:
        self._number += 1
        if self._number in self._plain:
            return escape(code)
        if min(self._seconds, self._loading) <= 0:
            self.left_out = True
            return escape(code)
        try:
            return self._highlight(code, language)
        except Exception:  # a fault in the language's rules
            self.left_out = True
            return escape(code)

    def _highlight(self, code: str, language: str) -> str:
        began = process_time()
        with limit_cpu(0):
            lexer = lexer_of(language, code)
        loaded = process_time()
        self._loading -= loaded - began
        if lexer is None:
            return escape(code)
        send(self._connection, {"block": self._number})
        try:
            with limit_cpu(seconds_for_code(code)):
                return highlight_code(code, lexer)
        finally:
            self._seconds -= process_time() - loaded


@contextmanager
def limit_cpu(seconds: float) -> Iterator[None]:
    """Kill the process when the block has taken so many processor seconds; 0: no limit.

    Time inside does not count toward an outer limit.
    """
    left, _ = signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, left)


if __name__ == "__main__":
    main()
