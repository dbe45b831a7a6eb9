"""Texts that try to run a script or load a resource, by kind, for tests of pages that show text.

A script calls `owned()`; a resource is loaded from `tracker.example`. Models, tools, titles and
people may write any of these; they must be shown as text and do nothing.
"""

from __future__ import annotations

RUN = "owned()"
HOST = "tracker.example"
_B64 = "PHNjcmlwdD5vd25lZCgpPC9zY3JpcHQ+"  # <script>owned()</script>

HOSTILE: dict[str, tuple[str, ...]] = {
    "raw HTML": (
        f"<script>{RUN}</script>",
        f"<SCRIPT SRC=https://{HOST}/x.js></SCRIPT>",
        f"<scr<script>ipt>{RUN}</scr</script>ipt>",
        f"<script\n>{RUN}</script\n>",
        f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
        f'<object data="https://{HOST}/x"></object><embed src="https://{HOST}/x">',
        f'<link rel="stylesheet" href="https://{HOST}/x.css">',
        f'<meta http-equiv="refresh" content="0;url=https://{HOST}/">',
        f'<base href="https://{HOST}/">',
        f'<form action="https://{HOST}/"><button autofocus>Send</button></form>',
        f'<style>@import "https://{HOST}/x.css"; * {{ background: url(https://{HOST}/x) }}</style>',
        f"<template><script>{RUN}</script></template><slot>x</slot>",
        '<div id="composer" class="dock" style="position:fixed;inset:0">x</div>',
        f'<textarea id="text"></textarea><dialog open><a href="https://{HOST}/">x</a></dialog>',
    ),
    "event handlers": (
        f"<img src=x onerror={RUN}>",
        f"<body onload={RUN}>",
        f"<input autofocus onfocus={RUN}>",
        f"<details open ontoggle={RUN}>x</details>",
        f"<video><source onerror={RUN}></video><audio src=x onerror={RUN}>",
        f"<marquee onstart={RUN}>x</marquee>",
        f'<div onpointerenter="{RUN}" onanimationstart="{RUN}" style="animation:breathe 1s">x</div>',
        f"<img/src='x'/onerror\n=\n{RUN}>",
    ),
    "script links": (
        f"[x](javascript:{RUN})",
        f"[x](JaVaScRiPt:{RUN})",
        f"[x](java\tscript:{RUN})",
        f"[x](java&#x0A;script:{RUN})",
        f"[x](&#106;avascript:{RUN})",
        f"[x](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A{RUN})",
        f"[x](\x01javascript:{RUN})",
        f"[x](<javascript:{RUN}>)",
        f"[x](javascript&colon;{RUN})",
        f"[x](javascript%3A{RUN})",
        f"[x](view-source:javascript:{RUN})",
        f"[x]: javascript:{RUN}\n\n[x]",
        f"<javascript:{RUN}>",
        f'<a href="javascript:{RUN}">x</a>',
        f"[x](vbscript:{RUN})",
        f"[x](data:text/html;base64,{_B64})",
        f"[x](DATA:text/html,<script>{RUN}</script>)",
        f"![x](data:image/svg+xml;base64,{_B64})",
        f"[x](blob:https://{HOST}/x) [y](file:///etc/passwd) [z](about:blank)",
        f"[x](//{HOST}/) [y](/c/delete/) [z](\\\\{HOST}\\x) [w](?before=x)",
    ),
    "SVG and MathML": (
        f"<svg/onload={RUN}>",
        f"<svg><script>{RUN}</script></svg>",
        f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
        f'<svg><a xlink:href="javascript:{RUN}"><text y=20>x</text></a></svg>',
        f'<svg><use href="data:image/svg+xml;base64,{_B64}#x"/></svg>',
        f"<svg><foreignObject><img src=x onerror={RUN}></foreignObject></svg>",
        f'<math><maction actiontype="statusline" xlink:href="javascript:{RUN}">x</maction></math>',
        f'<math href="javascript:{RUN}">x</math>',
    ),
    "mutation": (
        f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror={RUN}&gt;\">",
        f"<svg></p><style><a id=\"</style><img src=x onerror={RUN}>\">",
        f"<noscript><p title=\"</noscript><img src=x onerror={RUN}>\">",
        f"<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={RUN}>",
        f"<table><td><template><img src=x onerror={RUN}></template></table>",
        f"<xmp><p title=\"</xmp><img src=x onerror={RUN}>\">",
        f"<select><template><img src=x onerror={RUN}>",
        f"`</code><img src=x onerror={RUN}>`",
    ),
    "fences": (
        f"```<script>\n</code></pre><script>{RUN}</script>\n```",
        f'```html"><img src=x onerror={RUN}>\n<b>x</b>\n```',
        f"~~~ ' onmouseover={RUN} x='\nx\n~~~",
        f"```svg\n<svg onload={RUN}>\n```",
        f"    </code></pre><script>{RUN}</script>",
        f"```\n</pre></div><img src=x onerror={RUN}>",
        f"``` language-html hx-get=https://{HOST}/\nx\n```",
    ),
    "comments": (
        f"<!--<script>{RUN}</script>-->",
        f"<!--><img src=x onerror={RUN}>-->",
        f"<!-- --!><img src=x onerror={RUN}>",
        f"<![CDATA[<img src=x onerror={RUN}>]]>",
        f"<?xml-stylesheet href='https://{HOST}/x'?><!DOCTYPE html [<!ENTITY x '<img onerror={RUN}>'>]>",
    ),
    "attributes": (
        f'[x](https://{HOST}/" onmouseover="{RUN})',
        f"[x](https://{HOST}/ 'y\" onmouseover=\"{RUN}')",
        f'![x" onerror="{RUN}](https://{HOST}/x.png)',
        f"[x](https://{HOST}/'onclick='{RUN})",
        f'"><img src=x onerror={RUN}>',
        f"'><svg onload={RUN}>",
        f'x" autofocus onfocus="{RUN}" y="',
        f"| a |\n|:-\" onclick={RUN} -:|\n| <img src=x onerror={RUN}> |",
        f"1\" onclick=\"{RUN}. x",
        f"\u2028\u2029</title></textarea></style></script><img src=x onerror={RUN}>",
    ),
    "HTMX": (
        f'<div hx-get="https://{HOST}/" hx-trigger="load">x</div>',
        f'<a data-hx-post="/c/" hx-on:click="{RUN}" hx-vals="js:{{x: {RUN}}}">x</a>',
        f'<div hx-on::load="{RUN}" hx-ext="https://{HOST}/x.js" hx-disable="false">x</div>',
        '<button data-do="again" data-select="x" data-take-back data-close>x</button>',
    ),
    "autolinks": (
        f"https://{HOST}/?a=<img src=x onerror={RUN}>&b=\"onclick={RUN}",
        f"<https://{HOST}/\"onclick={RUN}>",
        f"www.{HOST}/javascript:{RUN} javascript:{RUN} javascript://%0a{RUN}",
        f"xmpp:a@b.c data:text/html,{RUN} mailto:a@b.c?subject=<script>{RUN}</script>",
    ),
    "remote images": (
        f"![x](https://{HOST}/x.png)",
        f"![x][y]\n\n[y]: https://{HOST}/x.png 'z'",
        f"[![x](https://{HOST}/x.svg)](https://{HOST}/)",
        f'<img srcset="https://{HOST}/x.png 2x" src="//{HOST}/x.png" loading=eager>',
        f'<picture><source srcset="https://{HOST}/x.png"><img></picture>',
        f'<video poster="https://{HOST}/x.png" autoplay src="https://{HOST}/x.mp4"></video>',
        f'<p background="https://{HOST}/x" style="background:url(https://{HOST}/x)">x</p>',
    ),
    "disguise": (
        "\u202egpj.exe\u202c looks like a picture",
        "a\u0000b\ufffdc\u200b\u2066d\u2069 \u0301\u0301\u0301\u0301",
        "[https://bank.example/](https://tracker.example/)",
    ),
}  # fmt: skip
TEXTS = [text for texts in HOSTILE.values() for text in texts]
