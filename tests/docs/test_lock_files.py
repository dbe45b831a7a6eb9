"""The lock files pin the dependencies in pyproject.toml with hashes, without naming an index."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Path = settings.BASE_DIR
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED = [
    *(("requirements.txt", text) for text in PROJECT["project"]["dependencies"]),
    *(("requirements-dev.txt", text) for text in PROJECT["dependency-groups"]["dev"]),
]
STOLEN = {("litellm", "1.82.7"), ("litellm", "1.82.8")}
"""Releases made by attackers."""


def pins(file: str) -> list[tuple[str, str, str]]:
    """Name, version and the rest of each pin."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)((?:.*\\\n)*.*)", text, re.MULTILINE)
    return [(canonicalize_name(name), version, rest) for name, version, rest in found]


@pytest.mark.parametrize(("file", "declared"), DECLARED)
def test_every_declared_dependency_is_pinned_as_it_allows(file: str, declared: str) -> None:
    requirement = Requirement(declared)
    versions = [pin[1] for pin in pins(file) if pin[0] == canonicalize_name(requirement.name)]
    assert versions, f"{file} is out of step with pyproject.toml: make lock"
    assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_hashes_and_no_address(file: str) -> None:
    assert all("--hash=sha256:" in rest for _, _, rest in pins(file))
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


def test_both_files_agree() -> None:
    runtime = {name: version for name, version, _ in pins("requirements.txt")}
    for name, version, _ in pins("requirements-dev.txt"):
        assert runtime.get(name, version) == version, name


def test_typescript_is_pinned_by_hash_without_an_address() -> None:
    declared = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    text = (ROOT / "package-lock.json").read_text()
    assert "://" not in text
    own, *packages = json.loads(text)["packages"].values()
    assert own["devDependencies"] == declared, "out of step with package.json: make lock"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in declared.values())
    assert all(package["integrity"].startswith("sha512-") for package in packages)


def test_no_stolen_release_is_pinned() -> None:
    assert not STOLEN & {(name, version) for name, version, _ in pins("requirements.txt")}
