"""The measured processes, and the kernel's figures for them."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Self

from benchmarks.checkouts import HERE, Checkout


class Subject:
    """One server process on loopback."""

    def __init__(self, name: str, checkout: Checkout, *command: str, **variables: str) -> None:
        self.name = name
        started = time.monotonic()
        self.process = subprocess.Popen(
            checkout.command(*command),
            cwd=checkout.root,
            env=checkout.environment(**variables),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.seconds_to_start = time.monotonic() - started
        if "ready at " not in line:
            self.stop()
            raise RuntimeError(f"{name} did not start.")
        self.address = line.split()[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def cpu(self) -> float:
        """Return the processor seconds used so far, by all threads, user and system."""
        # The id of another process's CPU clock on Linux; /proc counts in steps of 10 ms.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def memory(self) -> float:
        """Return the process's own memory in KiB, without mapped files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        assert found is not None
        return float(found[1])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)


def model_server() -> Subject:
    return Subject("model", HERE, "-m", "benchmarks.model_server")


def relay(model: Subject) -> Subject:
    return Subject("B", HERE, "-m", "benchmarks.relay", model.address)


def bare_relay(model: Subject) -> Subject:
    return Subject("P", HERE, "-m", "benchmarks.bare_relay", model.address)


def talos(model: Subject, data: Path, checkout: Checkout = HERE) -> Subject:
    return Subject(
        "Talos",
        checkout,
        *("manage.py", "serve", "--port", "0"),
        OPENAI_BASE_URL=f"{model.address}v1",
        OPENAI_API_KEY="none",
        TALOS_DEFAULT_MODEL="bench",
        TALOS_DATA_DIR=str(data),
    )
