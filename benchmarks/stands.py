"""A subject prepared for measuring: its server and its data, each created when first needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from benchmarks import subjects
from benchmarks.checkouts import HERE, ROOT, Checkout
from benchmarks.subjects import Subject

MESSAGES = 20
"""The number of messages in each conversation of a history."""


class Stand:
    """One subject with its model server and its own folder."""

    def __init__(
        self,
        model: Subject,
        folder: Path,
        checkout: Checkout = HERE,
        start: Callable[[Subject], AbstractContextManager[Subject]] | None = None,
    ) -> None:
        self.model = model
        self.folder = folder
        self.checkout = checkout
        self._start = start
        self._server: Subject | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def server(self) -> Subject:
        """The running server: started on first use, ended by `stop`."""
        if self._server is None:
            start = self._start(self.model) if self._start else self.fresh()
            self._server = self._open.enter_context(start)
        return self._server

    def stop(self) -> None:
        self._open.close()
        self._server = None

    @contextmanager
    def fresh(self) -> Iterator[Subject]:
        """Start another server, on its own empty database."""
        with self.copy(self.data("empty")) as data, self.serve(data) as subject:
            yield subject

    @contextmanager
    def copy(self, data: Path) -> Iterator[Path]:
        """Copy a data directory, to be changed and then discarded."""
        with TemporaryDirectory(dir=self.folder) as folder:
            yield shutil.copytree(data, Path(folder, "data"))

    def serve(self, data: Path) -> Subject:
        """Start a server on a data directory that no other server uses."""
        return subjects.talos(self.model, data, self.checkout)

    def data(self, name: str, *, conversations: int = 0, messages: int = MESSAGES) -> Path:
        """Return the data directory of this name, migrated and with so many conversations."""
        folder = self.folder / name
        if not folder.exists():
            self.checkout.run(folder, "manage.py", "migrate", "--verbosity=0")
            if conversations:
                program = str(ROOT / "benchmarks" / "many_conversations.py")
                amounts = (f"--conversations={conversations}", f"--messages={messages}")
                self.checkout.run(folder, program, *amounts)
        return folder
