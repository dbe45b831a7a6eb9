"""Joins the page's small scripts and styles into one file each, for `collectstatic`.

Forty small files are easy to read but slow to fetch. Only the syntax of our own modules is
supported: `import { … } from "./name.js"` (or `"../folder/name.js"`), and `export` before a
declaration; anything else stops `collectstatic`. Each module keeps its own scope. Comments are
removed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SCRIPT, STYLE = "js/page.js", "css/page.css"
STYLES = (
    "colors", "base", "layout", "sidebar", "messages", "welcome", "actions", "calls", "prose", "composer",
    "dialog", "models", "settings", "import", "connect", "chat_list", "menus", "touch", "print",
)  # fmt: skip
"""In order: later styles may override earlier ones."""
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[\w./-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:(?!\*/)[\s\S])*\*/[ \t]*)\n", re.MULTILINE)
"""Comments on lines of their own."""


def script_name() -> str:
    """Return the page's script: the bundle, or in development `main.js`, which imports the rest."""
    return "js/main.js" if settings.DEBUG else SCRIPT


def style_names() -> list[str]:
    """Return the page's style sheets in order."""
    return [f"css/{name}.css" for name in STYLES] if settings.DEBUG else [STYLE]


def bundle(static: Path) -> dict[str, str]:
    """Bundle the files in a folder. Returns the bundles by name."""
    scripts = modules(static / "js")
    if "main" not in scripts:
        return {}
    styles = (static / "css" / f"{name}.css" for name in STYLES)
    return {
        SCRIPT: join(scripts),
        STYLE: "".join(_bare(path.read_text("utf-8")) for path in styles),
    }


def modules(folder: Path) -> dict[str, str]:
    """Return the text of each module, by its path in a folder, without `.js`."""
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*.js")
    }


def join(modules: Mapping[str, str]) -> str:
    """Join `main` and its imports, each module after those that it needs."""
    done: dict[str, str] = {}
    _add("main", modules, done, ())
    return "".join(done.values())


def _add(
    name: str, modules: Mapping[str, str], done: dict[str, str], path: tuple[str, ...]
) -> None:
    if name in path or name not in modules:
        way = " → ".join((*path, name))
        raise ImproperlyConfigured(
            f"The page's modules import in a circle, or one is missing: {way}"
        )
    for _, address in _IMPORT.findall(modules[name]):
        needed = _resolved(name, address)
        if needed not in done:
            _add(needed, modules, done, (*path, name))
    done[name] = _scoped(name, modules[name])


def _resolved(name: str, address: str) -> str:
    """The name of the module that another one imports."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), address))


def _scoped(name: str, text: str) -> str:
    def constant(match: re.Match[str]) -> str:
        return f"const {{{match[1]}}} = {_variable(_resolved(name, match[2]))};\n"

    text = _IMPORT.sub(constant, text)
    exported = ", ".join(_EXPORT.findall(text))
    text = _bare(_EXPORT.sub("", text))
    if re.search(r"^(?:import|export)\b", text, re.MULTILINE):
        raise ImproperlyConfigured(f"{name}.js imports or exports in an unsupported way.")
    return f"const {_variable(name)} = (() => {{\n{text}return {{ {exported} }};\n}})();\n"


def _variable(name: str) -> str:
    return "$" + name.replace("/", "$").replace("-", "_")


def _bare(text: str) -> str:
    return re.sub(r"\n{2,}", "\n", _COMMENT.sub("", text))
