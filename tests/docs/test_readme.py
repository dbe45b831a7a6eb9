"""The README is correct: its table of settings, its script and its pictures."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.conf import settings

from tests.support.processes import Talos, environment

README = (settings.BASE_DIR / "README.md").read_text()
SETTINGS = (settings.BASE_DIR / "talos_site" / "settings.py").read_text()


def test_every_setting_is_in_the_table() -> None:
    read = {"ANTHROPIC_API_KEY", "GEMINI_API_KEY"} | set(
        re.findall(r'_env\.(?!ending)\w+\(\s*"([A-Z_]+)"', SETTINGS)
    )
    table = README.split("## Configuration")[1].split("## ")[0]
    listed = {
        name for row in table.splitlines() if row.startswith("| `")
        for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])
    }  # fmt: skip
    assert listed == read


def test_the_script_holds_a_conversation(talos: Talos) -> None:
    talos.start()
    script = README.split("```python")[1].split("```")[0]
    script = script.replace("http://127.0.0.1:8000", talos.address)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(), capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "demo" in done.stdout


def test_every_make_target_that_a_page_names_is_there() -> None:
    makefile = (settings.BASE_DIR / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    pages = [*settings.BASE_DIR.glob("*.md"), *(settings.BASE_DIR / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"`make ([a-z-]+)\b", page.read_text())}
    assert {"check", "dev", "test"} <= named <= targets


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/administration.md",
        "docs/architecture.md",
        "docs/tools.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    text = (settings.BASE_DIR / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((settings.BASE_DIR / page).parent / target).exists(), target
