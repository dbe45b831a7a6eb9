"""A subject made ready to be measured: its server and its data, each made when first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from benchmarks import subjects
from benchmarks.checkouts import HERE, ROOT, Checkout
from benchmarks.subjects import Subject

MESSAGES = 20
"""In each conversation of a history."""


class Stand:
    """One subject with the model server that it asks and a folder of its own."""

    def __init__(
        self,
        model: Subject,
        folder: Path,
        checkout: Checkout = HERE,
        start: Callable[[Subject], Subject] | None = None,
    ) -> None:
        self.model = model
        self.folder = folder
        self.checkout = checkout
        self._start = start
        self._server: Subject | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def server(self) -> Subject:
        """The one that runs until `stop`."""
        if self._server is None:
            self._server = self._start(self.model) if self._start else self.serve(self.data("data"))
        return self._server

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def serve(self, data: Path) -> Subject:
        """Another server, on a data directory that no other one uses."""
        return subjects.talos(self.model, data, self.checkout)

    def data(self, name: str, *, conversations: int = 0, messages: int = MESSAGES) -> Path:
        """The data directory of this name: migrated, with so many conversations."""
        folder = self.folder / name
        if not folder.exists():
            self.checkout.run(folder, "manage.py", "migrate", "--verbosity=0")
            if conversations:
                program = str(ROOT / "benchmarks" / "many_conversations.py")
                amounts = (f"--conversations={conversations}", f"--messages={messages}")
                self.checkout.run(folder, program, *amounts)
        return folder
