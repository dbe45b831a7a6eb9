"""`make bench BASE=…`: each side runs its own code, unchanged while it is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import checkouts
from benchmarks.checkouts import Refused

Git = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def git(root: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository with a commit before the one checked out."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a hook's, which would lead into our own repository

    def run(*arguments: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)
        return done.stdout.decode().strip()

    root.mkdir()
    run("init", "--quiet")
    for text in ("old", "new"):
        (root / "manage.py").write_text(text)
        (root / "requirements.txt").write_text("# nothing\n")
        (root / f"{text}.py").write_text(text)
        run("add", ".")
        run("commit", "--quiet", "--message", text)
    return run


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_a_commits_copy_has_its_files_and_our_python(git: Git, root: Path, tmp_path: Path) -> None:
    copy = checkouts.copy_commit("HEAD~1", tmp_path / "base", root)
    assert contents(copy.root) == {
        "manage.py": "old",
        "requirements.txt": "# nothing\n",
        "old.py": "old",
    }
    assert (copy.python, copy.name) == (sys.executable, git("rev-parse", "--short", "HEAD~1"))


def test_our_own_copy_is_the_working_tree_as_it_stands(
    git: Git, root: Path, tmp_path: Path
) -> None:
    assert checkouts.copy_working_tree(tmp_path / "clean", root).name == git(
        "rev-parse", "--short", "HEAD"
    )
    (root / ".gitignore").write_text("ignored\n")
    (root / "ignored").write_text("")
    (root / "manage.py").write_text("changed")
    (root / "old.py").unlink()
    copy = checkouts.copy_working_tree(tmp_path / "ours", root)
    assert copy.name == git("describe", "--always", "--dirty")
    assert set(contents(copy.root)) == {".gitignore", "manage.py", "new.py", "requirements.txt"}
    assert contents(copy.root)["manage.py"] == "changed"


@pytest.mark.slow
@pytest.mark.usefixtures("git")
def test_other_requirements_get_an_environment_once(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "requirements.txt").write_text("# other\n")
    first = checkouts.copy_commit("HEAD", tmp_path / "first", root)
    assert "installing them into" in capsys.readouterr().err
    assert Path(first.python).is_relative_to(root / ".venv" / "bases")
    second = checkouts.copy_commit("HEAD", tmp_path / "second", root)
    assert (second.python, capsys.readouterr().err) == (first.python, "")
    program = "import aiohttp"
    assert subprocess.run([first.python, "-c", program], stderr=subprocess.DEVNULL).returncode == 1


def test_a_commit_without_the_product_is_refused(git: Git, root: Path, tmp_path: Path) -> None:
    git("rm", "--quiet", "manage.py")
    git("commit", "--quiet", "--message", "none")
    with pytest.raises(Refused, match=r"HEAD has no manage\.py"):
        checkouts.copy_commit("HEAD", tmp_path / "base", root)
