"""The bundles of the page's scripts and styles are complete, in order and small."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from talos_site import bundles

STATIC = Path(settings.BASE_DIR, "static")
OF_OTHER_PAGES = {"admin"}
HEADERS = 1000
"""The maximum HTTP overhead per response, in bytes."""
FIRST_LOAD = 80_000


def test_each_module_is_included_once_after_its_imports() -> None:
    modules = {
        "main": 'import { go } from "./car/car.js";\nimport { turn } from "./wheel.js";\ngo(turn);\n',
        "car/car": '// @ts-check\nimport { turn } from "../wheel.js";\n\nexport function go() {\n  turn();\n}\n',
        "wheel": "/** Round. */\nexport const turn = () => {};\nexport class Hub {}\nfunction own() {}\n",
    }
    assert bundles.join(modules) == (
        "const $wheel = (() => {\nconst turn = () => {};\nclass Hub {}\nfunction own() {}\n"
        "return { turn, Hub };\n})();\n"
        "const $car$car = (() => {\nconst { turn } = $wheel;\nfunction go() {\n  turn();\n}\n"
        "return { go };\n})();\n"
        "const $main = (() => {\nconst { go } = $car$car;\nconst { turn } = $wheel;\ngo(turn);\n"
        "return {  };\n})();\n"
    )


def test_stripping_a_comment_removes_no_code() -> None:
    text = "/** @type {X} */ (a).b();\nkeep();\n/** gone */\n  // gone\nc(); // stays\n"
    assert "/** @type {X} */ (a).b();\nkeep();\nc(); // stays\n" in bundles.join({"main": text})


@pytest.mark.parametrize(
    "modules",
    [
        {"main": 'import { x } from "./main.js";\n'},
        {"main": 'import { x } from "./nowhere.js";\n'},
        {"main": 'import x from "./main.js";\n'},
        {"main": "export default 1;\n"},
        {"main": "export { x };\n"},
    ],
)
def test_unsupported_syntax_stops_collectstatic(modules: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured):
        bundles.join(modules)


def test_the_bundle_contains_every_module_of_the_page() -> None:
    styles = {path.stem for path in STATIC.glob("css/*.css")}
    assert styles == set(bundles.STYLES) | OF_OTHER_PAGES
    modules = bundles.modules(STATIC / "js")
    script = bundles.join(modules)
    joined = {name for name in modules if f"const ${name.replace('/', '$')} = " in script}
    assert joined == set(modules)


@pytest.mark.django_db
@pytest.mark.usefixtures("collected")
def test_a_first_load_is_small(client: Client) -> None:
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    found = re.findall(r'(?:src|href)="/static/([^"]+)"', gzip.decompress(page.content).decode())
    assert sorted(Path(name).suffix for name in found) == [".css", ".js", ".js", ".svg"]
    files = [Path(settings.STATIC_ROOT, name) for name in found]
    packed = [file.with_name(f"{file.name}.gz") for file in files]
    sizes = [
        (small if small.exists() else file).stat().st_size
        for file, small in zip(files, packed, strict=True)
    ]
    assert sum(sizes) + len(page.content) + HEADERS * (len(sizes) + 1) <= FIRST_LOAD
