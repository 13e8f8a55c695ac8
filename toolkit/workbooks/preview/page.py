"""The page: one HTML text with its script, its style and its first view inside, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from importlib.resources import files
from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1 id="title">{title}</h1><span class="badge">preview</span><span class="badge" id="now"></span><span class="room"></span>
<button type="button" class="plain" id="theme">Dark</button><div class="busy" id="busy" hidden></div></header>
<main></main>
<pre class="fault" id="fault" role="alert" hidden></pre>
<noscript>The preview is drawn by a script.</noscript>
<script type="application/json" id="view">{view}</script>
<script>{script}</script>
</body>
</html>
"""


def page(view: dict[str, Any]) -> str:
    """The whole page of a view. It loads nothing; a static one asks nobody either."""
    script, style = _script(), _asset("preview.css")
    # inside a script element only `</script` and `<!--` could end the data
    data = json.dumps(view, ensure_ascii=False, separators=(",", ":"), default=str).replace("<", "\\u003c")
    title = html.escape(str(view.get("title") or "Workbook"))
    return _PAGE.format(policy=html.escape(policy(static=view.get("static") is True)), title=title, style=style, script=script, view=data)


def policy(*, static: bool) -> str:
    """The content security policy: the page's own script and style, by their hashes, and the server that it came from."""
    script, style = _hash(_script()), _hash(_asset("preview.css"))
    asks = "'none'" if static else "'self'"
    rest = "img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {script}; style-src {style}; connect-src {asks}; {rest}"


@cache
def _script() -> str:
    """The one script of the page: what draws, the pictures, the page itself."""
    return "\n".join(_asset(name) for name in ("base.js", "shapes.js", "preview.js"))


@cache
def _asset(name: str) -> str:
    return files("toolkit.workbooks.preview").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
