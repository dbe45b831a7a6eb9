"""Copies of the code to measure: this checkout's, or another commit's.

A copy does not change while it is measured, and the two sides differ in their code only. A copy
provides only the product; the measuring code is always this checkout's.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Refused(Exception):
    """The request cannot be measured; the message tells the user why."""


@dataclass(frozen=True)
class Checkout:
    """The product's code and the Python that runs it."""

    root: Path
    python: str = sys.executable
    name: str = ""
    """The name that `git describe` gives it."""

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment of its processes, with nothing else from this machine's."""
        own = {"PATH": os.environ["PATH"], "PYTHON_DOTENV_DISABLED": "1"}
        return {**own, "PYTHONPATH": str(self.root), **variables}

    def command(self, *arguments: str) -> list[str]:
        """Return the command line for its Python. With `-P` a script imports this product, not its neighbours."""
        return [self.python, "-P", *arguments]

    def run(self, data: Path, *arguments: str) -> resource.struct_rusage:
        """Run a command on a data directory to its end, and return the kernel's resource usage."""
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(TALOS_DATA_DIR=str(data)),
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        return usage


HERE = Checkout(ROOT)


def copy_working_tree(into: Path, root: Path = ROOT) -> Checkout:
    """Copy this checkout as it stands, including uncommitted files that are not ignored."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0"):
        if (file := root / name).is_file():
            (copy := into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
    changed = "-dirty" if _git(root, "status", "--porcelain") else ""
    return Checkout(into, name=_git(root, "describe", "--always") + changed)


def copy_commit(base: str, into: Path, root: Path = ROOT) -> Checkout:
    """Copy a commit, given by any name that git knows.

    Raises `Refused` if git knows no such commit, or it does not contain Talos.
    """
    try:
        found = _git(root, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}")
    except subprocess.CalledProcessError:
        raise Refused(f"Git knows no commit {base!r} here.") from None
    into.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", found], cwd=root, check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-xf", "-"], cwd=into, check=True, input=archive.stdout)
    if not all((into / name).is_file() for name in ("manage.py", "requirements.txt")):
        raise Refused(f"{base} has no manage.py with a requirements.txt, so nothing can be run.")
    return Checkout(into, _python(into, root), _git(root, "describe", "--always", found))


def _python(copy: Path, root: Path) -> str:
    """Return this Python if both pin the same packages, else that of an environment made for them once."""
    needed = (copy / "requirements.txt").read_bytes()
    if needed == (root / "requirements.txt").read_bytes():
        return sys.executable
    folder = root / ".venv" / "bases" / hashlib.sha256(needed).hexdigest()[:16]
    python, is_complete = folder / "bin" / "python", folder / "complete"
    if not is_complete.exists():
        print(f"It needs different packages; installing them into {folder}…", file=sys.stderr)
        venv.create(folder, clear=True, symlinks=True)
        pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
        install = (*pip, "install", "--quiet", "--require-hashes", "-r", "requirements.txt")
        try:
            subprocess.run(install, cwd=copy, check=True)
        except subprocess.CalledProcessError:
            raise Refused("Its packages cannot be installed; pip gives the reason above.") from None
        is_complete.touch()
    return str(python)


def _git(root: Path, *arguments: str) -> str:
    """Run git and return its output."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()
