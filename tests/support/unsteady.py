"""Running failed tests once more, alone: `pytest --run-failed-again`, as `make test` does.

A test that fails and then passes is unsteady: a bug of the test or of the product. It is listed
under its own heading with its failure, and does not fail the run. Some are never run again:
tests of the contract's promises (`@pytest.mark.promise`), because a promise that holds only
sometimes is broken; and errors in teardown, because any test that used a shared server may have
broken it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

MOST = 20
"""With more failures than this, nothing is run again: the product is broken."""
HEADING = "UNSTEADY: failed, then passed when run again, alone. Each is a bug to mend"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run-failed-again",
        action="store_true",
        help="run failed tests once more, one after another; list those that pass as unsteady",
    )


@pytest.hookimpl(trylast=True)  # when pytest-xdist has ended its workers
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("run_failed_again"):
        return
    if session.exitstatus != pytest.ExitCode.TESTS_FAILED or session.shouldfail:
        return  # it was stopped: not every test has run
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    failures = [*reporter.stats.get("failed", ()), *reporter.stats.get("error", ())]
    again = {report.nodeid for report in failures if may_run_again(report)}
    if not again or len(again) > MOST:
        return
    reporter.section(f"running {len(again)} of the failed tests once more")
    unsteady = again - failing(again, config.rootpath)
    if set_apart(reporter.stats, unsteady):
        session.exitstatus = pytest.ExitCode.OK


def may_run_again(report: pytest.CollectReport | pytest.TestReport) -> bool:
    # of a test whose worker died, xdist knows neither the phase nor the marks
    return report.when in ("setup", "call") and "promise" not in report.keywords


def failing(nodeids: Collection[str], root: Path) -> set[str]:
    """Return the ids of the tests that fail again when run alone."""
    with TemporaryDirectory(prefix="talos-again-") as cache:
        options = ["-n", "0", "-p", "no:randomly", "-o", f"cache_dir={cache}"]
        command = [sys.executable, "-m", "pytest", *options, *sorted(nodeids)]
        status = subprocess.run(command, cwd=root, check=False).returncode
        if status == pytest.ExitCode.OK:
            return set()
        if status != pytest.ExitCode.TESTS_FAILED:
            return set(nodeids)
        return set(json.loads((Path(cache) / "v/cache/lastfailed").read_text()))


def set_apart(stats: dict[str, list[Any]], unsteady: Collection[str]) -> bool:
    """Move the reports of unsteady tests to a separate kind. Return whether no failure is left."""
    for kind in ("failed", "error"):
        reports = stats.pop(kind, [])
        moved = [r for r in reports if r.nodeid in unsteady and may_run_again(r)]
        if moved:
            stats.setdefault("unsteady", []).extend(moved)
        if left := [report for report in reports if report not in moved]:
            stats[kind] = left
    return not {"failed", "error"} & stats.keys()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if reports := terminalreporter.stats.get("unsteady"):
        terminalreporter.section(HEADING, yellow=True, bold=True)
        for report in reports:
            terminalreporter.section(report.nodeid, "_")
            terminalreporter.write_line(report.longreprtext)
            for title, text in _sections(terminalreporter, report.nodeid) or report.sections:
                terminalreporter.section(title, "-")
                terminalreporter.write_line(text)


def _sections(reporter: pytest.TerminalReporter, nodeid: str) -> list[tuple[str, str]]:
    """Return everything the test wrote, until the end of its teardown."""
    reports = [report for report in reporter.getreports("") if report.nodeid == nodeid]
    return reports[-1].sections if reports else []
