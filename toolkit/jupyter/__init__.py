"""KQL in Jupyter: `%load_ext toolkit` gives `%%kql` and `%kql`, on recorded logs or on a workspace, with completion."""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext toolkit` calls."""
    from toolkit.jupyter.magic import KqlMagics
    from toolkit.jupyter.matcher import add_matcher

    magics = KqlMagics(shell)
    shell.register_magics(magics)
    add_matcher(shell, magics.hunt)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext toolkit` calls: the names are gone, workspaces are closed."""
    from toolkit.jupyter.matcher import remove_matcher

    magics = shell.magics_manager.registry.get("KqlMagics")
    if magics is not None:
        magics.hunt.close()
    remove_matcher(shell)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("kql", None)
