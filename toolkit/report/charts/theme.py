"""Colours and type of charts, for light and dark surroundings.

Elements carry the light colours as attributes, so that viewers without style sheets show a whole chart; the style sheet
replaces them by variables, which follow the system, Jupyter's themes and those of VS Code. Both sets of series colours keep their
distance for people who see colours differently.
"""

from __future__ import annotations

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

SERIES = ("#2a78d6", "#1baf7a", "#eda100", "#6c4fc9", "#e34948", "#0b9ab8", "#e87ba4", "#7a7f87")
_SERIES_DARK = ("#4d94e8", "#2bb583", "#d79a1c", "#9a86ec", "#ec6a69", "#33a9c5", "#dd6b9b", "#9aa0a8")
DASHES = ("", "6 3", "2 3", "8 3 2 3")

LIGHT = {
    "bg": "#ffffff",
    "ink": "#1d2126",
    "muted": "#5d6570",
    "grid": "#e6e8eb",
    "axis": "#b9bfc7",
    "mark": "#d6264f",
    "soft": "#f4f6f8",
    **{f"s{index}": colour for index, colour in enumerate(SERIES)},
}
DARK = {
    "bg": "#181b1f",
    "ink": "#e7eaee",
    "muted": "#a3abb5",
    "grid": "#2c3138",
    "axis": "#4a515b",
    "mark": "#ff6b8b",
    "soft": "#21252b",
    **{f"s{index}": colour for index, colour in enumerate(_SERIES_DARK)},
}
_DARK_SURROUNDINGS = (
    '[data-jp-theme-light="false"] .tk',
    ".vscode-dark .tk",
    '[data-vscode-theme-kind="vscode-dark"] .tk',
    '[data-theme="dark"] .tk',
)
_LIGHT_SURROUNDINGS = ('[data-jp-theme-light="true"] .tk', ".vscode-light .tk", '[data-theme="light"] .tk')


def variables() -> str:
    """The colours as variables of everything in class `tk`."""
    light, dark = _declared(LIGHT), _declared(DARK)
    return (
        f".tk{{{light}}}"
        f"@media (prefers-color-scheme:dark){{.tk{{{dark}}}}}"
        f"{','.join(_DARK_SURROUNDINGS)}{{{dark}}}"
        f"{','.join(_LIGHT_SURROUNDINGS)}{{{light}}}"
    )


def chart_style() -> str:
    """The style sheet of a chart: `f-NAME` fills, `l-NAME` strokes with a colour."""
    fills = "".join(f".tk .f-{name}{{fill:var(--tk-{name})}}.tk .l-{name}{{stroke:var(--tk-{name})}}" for name in LIGHT)
    return f"{variables()}{fills}.tk .hit{{fill:transparent}}.tk .hit:hover{{fill:var(--tk-axis);fill-opacity:.18}}"


def _declared(colours: dict[str, str]) -> str:
    return "".join(f"--tk-{name}:{colour};" for name, colour in colours.items())
