"""The chart library as one script. Nothing enters; Vega, Vega-Lite and Vega-Embed leave, to stand inside a page.

vl-convert bundles the three from its own files, without a network; that takes about ten seconds, so the result is kept
in the cache. Altair with vl-convert was chosen over Plotly for its size: 0.9 MB of script against 4.6 MB.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from stance.dataset.cache import cache_root, ensure_folder

NAME = "vega.js"


def read_library() -> str:
    """Return the script; it defines `vegaEmbed`."""

    def build(folder: Path) -> None:
        (folder / NAME).write_text(_bundle(), "utf-8", newline="\n")

    try:
        folder = ensure_folder(cache_root() / "vega" / f"vl-convert-{version('vl-convert-python')}", build)
        return (folder / NAME).read_text("utf-8")
    except OSError:  # a cache that cannot be written only costs the time
        return _bundle()


def _bundle() -> str:
    import vl_convert

    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # Neither may stand in an inline script: the parser would take it for the script's end or a comment's start.
    return script.replace("\r\n", "\n").replace("</script", "<\\/script").replace("<!--", "<\\!--")
