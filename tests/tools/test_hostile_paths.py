"""No path and no file leads out of the workspace."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.hostile import refused, refuses_all
from tools.core.declaration import ToolError
from tools.sandbox.paths import parts_of
from tools.sandbox.workspace import Workspace

HOSTILE = [
    "../secret.txt",
    "..",
    "notes/../../secret.txt",
    "notes/../notes/own.txt",
    "./../secret.txt",
    "notes/./.././../secret.txt",
    "....//....//secret.txt/../..",
    "..//secret.txt",
    "notes/..",
    " ../secret.txt",
    ".. /secret.txt",
    "..\\secret.txt",
    "notes\\..\\..\\secret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "..%2Fsecret.txt",
    "..%5csecret.txt",
    "\uff0e\uff0e/secret.txt",
    "\u2025/secret.txt",
    "\u2024\u2024/secret.txt",
    "..\u2215secret.txt/../x",
    "\uff0e\uff0e\uff0fsecret.txt",
    ".\u200b./secret.txt",
    "..\ufeff/secret.txt",
    "../workspace-2/secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "~/secret.txt",
    "~root/secret.txt",
    "C:\\secret.txt",
    "C:/secret.txt",
    "\\\\server\\share",
    "/proc/self/cwd/../../../../etc/passwd",
    "notes/own.txt\0.md",
    "\0",
    "a\nb",
    "a\x1b[2Jb",
    "a\u202etxt.exe",
    "a\u2028b",
    "\ud800",
    "x" * 256,
    "é" * 200,
    "a/" * 40 + "a",
    "x/" * 5000 + "x",
    "x" * 10**6,
    "",
    ".",
    "./",
    "notes/",
    "notes",
    "notes/own.txt/",
    "notes/own.txt/more",
]


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: ascii(path)[:40])
def test_a_path_that_leads_outside_is_refused(root: Path, path: str) -> None:
    refuses_all(root, path)


@pytest.mark.parametrize("path", ["..", "/", "/etc", "notes/..", "~", "..\\", "\uff0e\uff0e", "\0"])
def test_no_folder_outside_is_listed(root: Path, path: str) -> None:
    with refused(root):
        Workspace(root).entries(path)


def test_an_absolute_path_is_refused_even_into_the_workspace(root: Path) -> None:
    with pytest.raises(ToolError, match="relative to the workspace"):
        Workspace(root).read(str(root / "notes" / "own.txt"), 10)


@pytest.mark.parametrize(
    "path",
    ["...", "..a", "a..b", ".hidden", "日本語/ü.md", "a b/c'd\".txt", "👩\u200d💻.txt", "-rf"],
)
def test_an_unusual_name_is_a_name(root: Path, path: str) -> None:
    Workspace(root).write(path, b"text")
    assert Workspace(root).read(path, 10) == (b"text", 4)
    assert (root / path).read_bytes() == b"text"


@given(st.text(st.sampled_from("./\\~%2eEfF\0 a\uff0e\u2025\uff0f\u202e"), max_size=12))
def test_no_spelling_leaves_the_workspace(path: str) -> None:
    with suppress(ToolError):
        parts = parts_of(path)
        assert all("/" not in part and part not in ("", ".", "..") for part in parts)
        assert os.path.normpath("/".join(["/w", *parts])).startswith("/w")


# --- files of other kinds -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["../secret.txt", "notes/own.txt", "/etc/passwd", "nowhere", "."]
)
def test_a_symbolic_link_is_never_followed(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    refuses_all(root, "link")
    assert (root / "link").is_symlink()


@pytest.mark.parametrize("target", ["..", "../workspace-2", "notes", "/", "link"])
def test_a_link_to_a_folder_is_never_followed(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    refuses_all(root, "link/secret.txt")
    with refused(root):
        Workspace(root).entries("link")


def test_a_hard_link_is_refused(root: Path) -> None:
    os.link(root.parent / "secret.txt", root / "link")
    refuses_all(root, "link")


def test_a_pipe_is_refused_at_once(root: Path) -> None:
    os.mkfifo(root / "pipe")
    refuses_all(root, "pipe")


def test_a_socket_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        refuses_all(root, "socket")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_refused(root: Path) -> None:
    try:
        os.mknod(root / "zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    refuses_all(root, "zero")


def test_a_permission_error_is_explained(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(ToolError, match="not accessible to this server"):
        Workspace(root).read("notes/own.txt", 10)
