"""Sends texts to workers, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from time import time
from typing import Any

from chat.markdown.jobs import HOUR, Block, Job, Outcome, seconds_for
from chat.markdown.processes import Ended, NotStarted, Stuck, Template, Worker

MOST_DEATHS = 3
"""Code blocks of one text that may kill workers before none of it is highlighted any more."""


@dataclass(frozen=True)
class Known:
    """The parts of a text that have killed workers."""

    blocks: frozenset[int] = frozenset()
    """Code blocks, by number."""
    is_hopeless: bool = False
    """The whole text is shown as plain text."""


HOPELESS = Known(is_hopeless=True)


class Asking:
    """A thread's own worker, started when needed."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._worker: Worker | None = None

    def ask(self, job: Job, known: Known) -> tuple[Outcome, Known]:
        """Return how a text is shown, and what is known of it by now."""
        cpu, was_lost = 0.0, False
        while not known.is_hopeless:
            try:
                answer = self._ask(job, known)
            except Ended as ended:
                if ended.is_early and not was_lost:
                    was_lost = True  # killed while idle, or by somebody: try once more
                    continue
                cpu += seconds_for(job.text)
                known = Known(known.blocks | {ended.block}) if ended.block is not None else HOPELESS
            except (NotStarted, Stuck):
                return Outcome.plain(job, until=0, cpu=cpu), known
            else:
                cpu += answer["cpu"]
                if "error" not in answer:
                    return _outcome(job, answer, cpu), known
                known = HOPELESS
        return Outcome.plain(job, until=time() + HOUR, cpu=cpu), known

    def _ask(self, job: Job, known: Known) -> dict[str, Any]:
        worker = self._worker or self._template.worker()
        self._worker = None
        highlights = len(known.blocks) < MOST_DEATHS
        request = {**vars(job), "plain": sorted(known.blocks), "highlights": highlights}
        answer = worker.ask(request)
        if answer["is_last"]:
            worker.close()
        else:
            self._worker = worker
        return answer

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _outcome(job: Job, answer: dict[str, Any], cpu: float) -> Outcome:
    until = time() + HOUR if answer["is_partial"] else None
    if job.kind == "blocks":
        found = tuple(Block(html, end) for html, end in answer["blocks"])
        return Outcome(blocks=found, cpu=cpu, until=until)
    return Outcome(html=answer["html"], cpu=cpu, until=until)
