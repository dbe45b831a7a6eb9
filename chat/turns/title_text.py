"""Extracts a title from a model's answer: one short line of plain text.

Characters that belong to a title stay: `C#`, `__init__`, `*args`, `U.S.`, quotes inside it. Only
pairs around all of it are removed, and the words that models put around a title.
"""

# ruff: noqa: RUF001  # the punctuation of many scripts

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import orjson

from chat.turns.shortening import shorten

MAX_LENGTH = 80
MAX_READ = 10_000
"""Characters of an answer that are read; of the title's line, `MAX_LINE`."""
MAX_LINE = 400

_TAG = "think|thinking|thought|reasoning"
_THOUGHT = re.compile(rf"\A\s*<({_TAG})>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(rf"(?<!`)</(?:{_TAG})>", re.IGNORECASE)
_FENCE = re.compile(r"^\s*```[^\n`]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_LABELS = (
    "(?:chat |conversation )?title|titel|titre|título|titulo|titolo|titlu|titul|tytuł|název|názov|"
    "naslov|cím|otsikko|rubrik|tittel|pealkiri|pavadinimas|virsraksts|başlık|judul|tajuk|tiêu đề|"
    "заголовок|название|назва|заглавие|наслов|τίτλος|כותרת|عنوان|العنوان|शीर्षक|শিরোনাম|தலைப்பு|"
    "ชื่อเรื่อง|หัวข้อ|标题|標題|题目|題目|タイトル|題名|제목"
)
_LABEL = re.compile(rf"^(\**)(?:{_LABELS})(\**) ?[:：](\**) *(?=(.*))", re.IGNORECASE)
_LEADING = re.compile(r"^(?:#{1,6}|[-+*•>]) ")
_DECORATION = "#*_`\"'“”„«»-=~ "

_QUOTES = {  # opening: what may close it
    "“": "”“",
    "„": "“”",
    "”": "”",
    "‘": "’‘",
    "‚": "‘’",
    "’": "’",
    "«": "»",
    "»": "«»",
    "‹": "›",
    "›": "‹›",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "｢": "｣",
    "〝": "〞〟",
    '"': '"',
    "＂": "＂",
    "'": "'",
    "`": "`",
    "**": ("**",),
    "*": "*",
}
_ABBREVIATIONS = frozenset(
    [
        "abb",
        "al",
        "approx",
        "apr",
        "aug",
        "bzw",
        "ca",
        "co",
        "corp",
        "dec",
        "dept",
        "dr",
        "est",
        "etc",
        "evtl",
        "feb",
        "ff",
        "fig",
        "gov",
        "inc",
        "jan",
        "jr",
        "jul",
        "jun",
        "llc",
        "ltd",
        "max",
        "min",
        "mr",
        "mrs",
        "ms",
        "no",
        "nov",
        "nr",
        "oct",
        "pp",
        "prof",
        "resp",
        "sep",
        "sept",
        "sr",
        "st",
        "str",
        "usw",
        "vgl",
        "vol",
        "vs",
    ]
)
_JOINERS = "\u200c\u200d"
_KEPT = frozenset(f"{_JOINERS}\u200e\u200f\u061c\u0600\u0601\u0602\u0603\u0604\u0605\u06dd")
"""Joiners, direction marks and Arabic signs: Unicode classes them as formats, but words need them."""
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")


def extract_title(answer: str) -> str:
    """Return the title in an answer; empty if there is none. A clean title stays as it is."""
    title = _peel(_line(answer[:MAX_READ])[:MAX_LINE])
    while (again := _peel(_line(shorten(title, MAX_LENGTH)))) != title:
        title = again
    return title


def _line(answer: str) -> str:
    """Find the line with the title, without thoughts, a fence or JSON around it."""
    for part in (_spoken, _fenced, _from_json):
        answer = part(answer)
    lines = [" ".join(line.split()) for line in answer.splitlines()]
    lines = [line for line in lines if line.strip(_DECORATION)]
    # "Here is a title:" announces one
    chosen = next((line for line in lines if not line.endswith((":", "：", ":**"))), "")
    return _visible(chosen or "".join(lines[:1]))


def _spoken(answer: str) -> str:
    answer = _THOUGHT.sub("", answer)
    return _THOUGHT_END.split(answer)[-1]


def _fenced(answer: str) -> str:
    found = _FENCE.match(answer)
    return found[1] if found else answer


def _from_json(answer: str) -> str:
    if not answer.lstrip().startswith("{"):
        return answer
    try:
        found = orjson.loads(answer.encode(errors="replace"))
    except orjson.JSONDecodeError:
        return answer
    title = found.get("title")
    return title if isinstance(title, str) else answer


def _visible(line: str) -> str:
    """Remove invisible characters, except those that shape the letters beside them."""
    flags = {place for found in _FLAG.finditer(line) for place in range(*found.span())}
    shown = (
        character
        for place, character in enumerate(line)
        if character.isprintable() or character in _KEPT or place in flags
    )
    return " ".join("".join(shown).split()).strip(_JOINERS + " ")


def _peel(line: str) -> str:
    """Remove the layers around a title, one after the other."""
    layers: tuple[Callable[[str], str], ...] = (
        _without_leading,
        _without_label,
        _without_pair,
        _without_period,
    )
    while True:
        before = line
        for layer in layers:
            line = layer(line).strip(_JOINERS + " ")
        if line == before:
            return line


def _without_leading(line: str) -> str:
    return _LEADING.sub("", line)


def _without_label(line: str) -> str:
    found = _LABEL.match(line)
    if not found or not found[4]:
        return line
    opened, closed = found[1], found[2] + found[3]
    return found[4] if opened == closed else opened + found[4]


def _without_pair(line: str) -> str:
    for opening, closings in _QUOTES.items():
        for closing in closings:
            if (
                len(line) >= 2 * len(opening)
                and line.startswith(opening)
                and line.endswith(closing)
            ):
                inner = line[len(opening) : -len(closing)]
                if _is_whole(inner, opening, closing):
                    return inner
    return line


def _is_whole(inner: str, opening: str, closing: str) -> bool:
    """Whether the two belong to each other, and not to others between them."""
    if opening in "**`":
        return opening not in inner and inner == inner.strip()
    if opening != closing:
        return all(depth >= 0 for depth in _depths(inner, opening, closing))
    for found in re.finditer(re.escape(opening), inner):
        before, after = inner[: found.start()][-1:], inner[found.end() :][:1]
        if not (before.isalnum() and after.isalnum()):  # no apostrophe
            return not before.strip()  # it opens another pair inside
    return True


def _depths(inner: str, opening: str, closing: str) -> Iterator[int]:
    depth = 0
    for character in inner:
        depth += (character == opening) - (character == closing)
        yield depth


def _without_period(line: str) -> str:
    if line.endswith(("。", "।", "۔")):
        return line[:-1]
    if not line.endswith(".") or line.endswith(".."):
        return line
    word = line[:-1].rpartition(" ")[2].lower().lstrip("([\"'“„«")
    end = word.rpartition(".")[2]
    is_short = len(end) < 2 or (end.isdigit() and len(end) < 3) or word in _ABBREVIATIONS
    return line if is_short else line[:-1]
