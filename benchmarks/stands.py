"""A subject made ready to be measured: its server and its data, each made when first needed."""

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
"""In each conversation of a history."""


class Stand:
    """One subject with the model server that it asks and a folder of its own."""

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
        """The running server: started at first use, ended by `stop`."""
        if self._server is None:
            start = self._start(self.model) if self._start else self.fresh()
            self._server = self._open.enter_context(start)
        return self._server

    def stop(self) -> None:
        self._open.close()
        self._server = None

    @contextmanager
    def fresh(self) -> Iterator[Subject]:
        """Another server, on an empty database of its own."""
        with self.copied(self.data("empty")) as data, self.serve(data) as subject:
            yield subject

    @contextmanager
    def copied(self, data: Path) -> Iterator[Path]:
        """A copy of a data directory, to be changed and thrown away."""
        with TemporaryDirectory(dir=self.folder) as folder:
            yield shutil.copytree(data, Path(folder, "data"))

    def serve(self, data: Path) -> Subject:
        """A server on a data directory that no other one uses."""
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
